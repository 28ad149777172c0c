"""Any order of frames, flushes, losses, kills, stops and clients: no frame is lost unnamed."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from femtotango.component import save_raw_interlock as interlock
from femtotango.component.save_raw_interlock import RawData, Signs
from femtotango.component.scan_progress import Scan
from femtotango.errors import NotTrusted
from pipeline.model.frame_ranges import FrameRanges
from pipeline.protocols.snapshot import FrameSafety

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
        self.begin_series()

    def begin_series(self) -> None:
        self.number += 1
        n = self.number
        self.raw[n], self.durable[n], self.sent[n] = set(), set(), 0
        self.came: set[int] = set()
        self.lost: set[int] = set()
        self.ended = False

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
        durable, n = self.durable[self.number], self.number
        waiting = self.came - durable - self.lost
        self.known = Signs(
            FrameSafety(
                process=str(self.process),
                mapping=str(n) if self.header else str(n - 1),
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
    header = False

    @precondition(lambda self: self.scan.done)
    @rule()
    def prepare(self) -> None:
        if self.sent[self.number] or self.header:
            self.begin_series()
        self.header = False
        self.scan = Scan(self.number, str(self.number), cameras=("andor3_balor",), done=False)
        self.look()

    @precondition(lambda self: not self.scan.done and not self.ended)
    @rule()
    def start_camera(self) -> None:
        self.header = True
        self.look()

    @precondition(lambda self: self.header and not self.ended)
    @rule(arrives=st.booleans())
    def frame(self, arrives) -> None:
        n, frame = self.number, self.sent[self.number]
        if frame >= LENGTH:
            return
        self.sent[n] += 1
        if self.save_raw:
            self.raw[n].add(frame)
        if not self.scan.done and not self.away:
            self.came.add(frame)
            if not arrives:
                self.lost.add(frame)
        self.look()

    @rule(number=st.integers(1, 5))
    def flush(self, number) -> None:
        if not self.away:
            waiting = sorted(self.came - self.durable[self.number] - self.lost)
            self.durable[self.number] |= set(waiting[:number])
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

    @rule()
    def client_stops(self) -> None:
        self.scan = replace(self.scan, stopped=True)
        self.look()
        self.scan = replace(self.scan, done=True)
        self.look()

    @rule()
    def reducer_hangs(self) -> None:
        self.away = "the reducer hangs."
        self.look()

    @precondition(lambda self: self.away)
    @rule(killed=st.booleans())
    def reducer_is_back(self, killed) -> None:
        self.away = ""
        if killed:
            # What was not durable is gone, and a new process knows nothing of it.
            self.process += 1
            self.lost |= self.came - self.durable[self.number]
        self.lost |= set(range(self.sent[self.number])) - self.came
        self.came |= self.lost
        self.look()

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

    @invariant()
    def what_has_neither_raw_data_nor_photons_is_named(self) -> None:
        if not self.save_raw:
            return
        for n, sent in self.sent.items():
            missing = set(range(sent)) - self.raw[n] - self.durable[n]
            if self.state.drop is not None and self.state.drop.number == n:
                # They are on their way into the file, and watched until they are there.
                missing &= self.lost if n == self.number else missing
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
