"""Any order of frames, flushes, losses, kills, stops and clients: no frame is lost unnamed."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from femtotango.component import save_raw_interlock as interlock
from femtotango.component.raw_data import RawData, Signs
from femtotango.component.scan_progress import Scan
from femtotango.errors import NotTrusted
from pipeline.model.frame_ranges import FrameRanges
from pipeline.protocols.packed_datasets import FrameSafety

LENGTH = 30


class Beamline(RuleBasedStateMachine):
    """A camera, a reducer, and a device that looks on after each thing that happens.

    The camera takes SaveRaw at once, as the simulated one does. What the model knows of each frame
    is whether it has raw data and whether its photons are durable.
    """

    def __init__(self) -> None:
        super().__init__()
        self.state = RawData()
        self.now = 0.0
        self.save_raw = True
        self.number = 0
        self.away = ""
        self.process = 0
        self.scan = Scan()
        self.raw: dict[int, set[int]] = {}
        self.durable: dict[int, set[int]] = {}
        self.sent: dict[int, int] = {}
        self.acknowledged: set[int] = set()
        self.new_scan()
        self.begin_series()
        self.header = False

    def new_scan(self) -> None:
        self.number += 1
        n = self.number
        self.raw[n], self.durable[n], self.sent[n] = set(), set(), 0
        self.header = False

    def begin_series(self) -> None:
        self.series = self.number
        """That the reducer tells of: until the header has come, the one of the scan before."""
        self.header = True
        self.came: set[int] = set()
        self.lost: set[int] = set()
        """What the reducer knows of; it may learn of a frame that is gone with the next one."""
        self.gone: set[int] = set()
        """Without raw data, and not known to the reducer that was started anew."""
        self.ended = self.forgotten = False

    def look(self) -> None:
        """Let the device look, and the camera obey."""
        self.now += 1.0
        self.state = interlock.follow(self.state, self.signs(), self.scan, self.now)
        if self.state.must_save and self.state.off:
            self.save_raw = True
            self.state = replace(self.state, off=False)

    def signs(self) -> Signs:
        if self.away:
            return replace(self.known, away=self.away)
        if self.forgotten:
            return Signs(FrameSafety(process=str(self.process)), self.now)
        waiting = self.came - self.durable[self.series] - self.lost
        self.known = Signs(
            FrameSafety(
                process=str(self.process),
                mapping=str(self.series),
                may_drop_raw=int(not self.lost),
                reason="lost",
                newest=max(self.came, default=-1),
                unsafe=text(self.lost),
                waiting=text(waiting),
                series_ended=int(self.ended),
                complete=int(self.ended and not waiting and not self.lost),
            ),
            self.now,
        )
        return self.known

    known = Signs()

    @initialize()
    def drop_raw_data(self) -> None:
        self.prepare_and_drop(drop=True)

    @precondition(lambda self: self.scan.done)
    @rule(drop=st.booleans())
    def prepare_and_drop(self, drop) -> None:
        self.prepare()
        if drop:
            self.start_camera()
            self.client_writes_false()

    def prepare(self) -> None:
        if self.sent[self.number] or self.header:
            self.new_scan()
        self.scan = Scan(self.number, str(self.number), cameras=("andor3_balor",), done=False)
        self.look()

    @precondition(lambda self: not (self.scan.done or self.header))
    @rule()
    def start_camera(self) -> None:
        self.begin_series()
        self.look()

    @precondition(lambda self: self.header and not self.ended)
    @rule(number=st.integers(1, 4), arrive=st.sampled_from([True, True, True, False]))
    def frames(self, number, arrive) -> None:
        for _ in range(number):
            self.frame(arrive)

    def frame(self, arrives) -> None:
        n, frame = self.number, self.sent[self.number]
        if frame >= LENGTH:
            return
        if not (self.scan.done or self.away):
            self.account()
        self.sent[n] += 1
        if self.save_raw:
            self.raw[n].add(frame)
        if not (self.scan.done or self.away or self.forgotten):
            self.came.add(frame)
            if not arrives:
                self.lost.add(frame)
        self.look()

    @rule(number=st.integers(1, 5))
    def flush(self, number) -> None:
        if not (self.away or self.forgotten):
            waiting = sorted(self.came - self.durable[self.series] - self.lost)
            self.durable[self.series] |= set(waiting[:number])
        self.look()

    @precondition(lambda self: self.header and not self.ended and not self.away)
    @rule()
    def end_series(self) -> None:
        complete = set(range(self.sent[self.number])) <= self.came
        self.ended = True
        if not complete:
            self.lost |= set(range(self.sent[self.number])) - self.came
        self.look()
        self.scan = replace(self.scan, done=True)
        self.look()

    @rule()
    def client_writes_false(self) -> None:
        try:
            self.state = interlock.allow(self.state, self.signs(), self.scan)
        except NotTrusted:
            return
        self.save_raw = False

    @rule()
    def client_writes_true(self) -> None:
        self.save_raw = True
        self.state = interlock.switched_on(self.state, self.signs())
        self.look()

    @precondition(lambda self: not self.scan.done)
    @rule()
    def client_stops(self) -> None:
        self.scan = replace(self.scan, stopped=True)
        self.look()
        self.scan = replace(self.scan, done=True)
        self.look()

    @precondition(lambda self: not self.away)
    @rule()
    def reducer_hangs(self) -> None:
        self.away = "the reducer hangs."
        self.look()

    @precondition(lambda self: self.away)
    @rule(killed=st.booleans(), journal=st.booleans())
    def reducer_is_back(self, killed, journal) -> None:
        self.away = ""
        if killed:
            self.restart_reducer(journal)
        self.account()
        self.look()

    @rule(journal=st.booleans())
    def reducer_is_restarted(self, journal) -> None:
        # So fast that no answer of it is missing.
        self.restart_reducer(journal)
        self.look()

    def restart_reducer(self, journal: bool) -> None:
        # What was not durable is gone. Without a journal it does not even know of the series.
        self.process += 1
        self.gone |= self.came - self.durable[self.series] - self.raw[self.series]
        self.came &= self.durable[self.series]
        self.forgotten |= not journal

    def account(self) -> None:
        self.lost |= set(range(self.sent[self.series])) - self.came
        self.came |= self.lost

    @rule()
    def device_is_initialised(self) -> None:
        if self.state.drop is not None and self.state.drop.raw_off:
            self.state = interlock.lose(self.state, interlock.ENDED, self.signs().safety)
        self.look()

    @invariant()
    def raw_data_are_saved_unless_a_drop_is_on(self) -> None:
        assert self.save_raw == self.state.must_save
        if not self.save_raw:
            assert not self.scan.done
            assert not self.away
            assert not self.lost
            assert not self.gone

    @invariant()
    def what_has_neither_raw_data_nor_photons_is_named(self) -> None:
        if not self.save_raw:
            return
        for n, sent in self.sent.items():
            missing = set(range(sent)) - self.raw[n] - self.durable[n]
            if self.state.drop is not None and self.state.drop.number == n:
                # They are on their way into the file, and watched until they are there.
                missing &= self.lost if n == self.series else missing
            assert missing <= named(self.state.unsafe_frames, n), (n, missing)


def text(frames: set[int]) -> str:
    return FrameRanges((n, n) for n in frames).text(100)


def named(unsafe: str, number: int) -> set[int]:
    """Return the frames of a scan that a text of UnsafeFrames names."""
    found: set[int] = set()
    for scan in filter(None, unsafe.split("; ")):
        label, frames = scan.split(": ")
        if label == f"scan {number}":
            for part in frames.split(", "):
                low, dash, high = part.partition("-")
                last = int(high) if high else LENGTH if dash else int(low)
                found |= set(range(int(low), last + 1))
    return found


TestBeamline = Beamline.TestCase
TestBeamline.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_a_series_is_not_dropped_again_after_another_reducer_has_taken_over() -> None:
    run = Beamline()
    run.drop_raw_data()
    run.frames(number=1, arrive=True)
    run.reducer_is_restarted(journal=True)
    run.client_writes_false()
    assert run.save_raw
    run.end_series()
    run.prepare_and_drop(drop=True)
    assert not run.save_raw
