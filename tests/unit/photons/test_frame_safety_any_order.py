"""Is every frame safe somewhere? Everything in any order, against what is true."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.repeats import repeats

from pipeline.model.frame_ranges import FrameRanges
from pipeline.photons.frame_safety import NO_QUEUE, FileFacts, FileState, FrameLedger, Queue, Safety
from pipeline.protocols.batch import FrameStatus

SEARCHED = FrameStatus.SEARCHED


def empty_file(seen: float) -> FileFacts:
    """Return a file that stands, without any frame."""
    return FileFacts(FileState.WRITING, "/p/s_xye.h5", "", FrameRanges(), seen)


@dataclass
class Disk:
    """A photon file and its disk, as they really are, and the thread that writes it."""

    delay: float | None = 0.0
    """How long it takes to make something durable [s]; None: it hangs."""
    full: bool = False
    there: bool = True
    wanted: bool = True
    handed: list[int] = field(default_factory=list)
    durable: FrameRanges = field(default_factory=FrameRanges)
    known: FileFacts = field(default_factory=lambda: empty_file(0.0))
    turn: tuple[float, list[int]] | None = None
    """When the thread will have done what it does, and the frames that it writes."""

    def work(self, now: float) -> None:
        """Write what waits, or look whether the file stands; a disk that hangs tells nothing."""
        if self.known.problem or self.known.state is FileState.NO_HEADER or self.delay is None:
            return
        if self.turn is None:
            self.turn, self.handed = (now + self.delay, self.handed), []
        done, frames = self.turn
        if now < done:
            return
        self.turn = None
        if not self.there:
            self.known = FileFacts(FileState.GONE, self.known.path, "was deleted")
        elif self.full and frames:
            self.known = replace(self.known, state=FileState.FAILED, problem="full")
        else:
            for frame in frames:
                self.durable.add(frame)
            self.known = replace(self.known, durable=self.durable.copy(), seen=now)

    @property
    def facts(self) -> FileFacts:
        off = self.known.state is FileState.WRITING and not self.wanted
        return replace(self.known, state=FileState.OFF) if off else self.known


FAULTS = ("kill", "status", "broken", "lost", "hangs", "twice", "disk", "settings", "end")


def only_with(fault: str) -> Callable[[Any], Any]:
    """Allow a rule in those series that have this fault: with all of them nothing is ever safe."""
    return precondition(lambda self: fault in self.faults)


class AnyOrder(RuleBasedStateMachine):
    """Frames, losses, gaps, kills, stops, settings and disks in any order, against what is true."""

    @initialize(faults=st.sets(st.sampled_from(FAULTS), max_size=3))
    def begin(self, faults: set[str]) -> None:
        self.now = 100.0
        self._start_series(faults)

    @precondition(lambda self: self.ended or self.now > self.begun + 10)
    @rule(faults=st.sets(st.sampled_from(FAULTS), max_size=3))
    def next_series(self, faults: set[str]) -> None:
        """A header comes, of the next scan or after a stop."""
        self._start_series(faults)

    def _start_series(self, faults: set[str]) -> None:
        self.faults = faults
        self.begun = self.now
        self.ledger = FrameLedger()
        self.disk = Disk()
        self.disk.known = empty_file(self.now)
        self.next_frame = 0
        self.came: dict[int, float] = {}
        """When each frame came."""
        self.discarded: set[int] = set()
        self.twice: set[int] = set()
        self.queue: list[tuple[int, float, FrameStatus]] = []
        self.ended = self.beyond = False
        self.quality = ""
        self.searching = True

    @only_with("kill")
    @rule()
    def kill(self) -> None:
        """A new process sees the rest of the series, without its header."""
        self.ledger = FrameLedger()
        self.disk.handed.clear()
        self.disk.known = FileFacts(FileState.NO_HEADER)
        self.queue.clear()
        self.came.clear()

    @rule(number=st.integers(1, 4))
    def frames(self, number: int) -> None:
        for _ in range(number):
            self._arrive(SEARCHED if self.searching else FrameStatus.NOT_SEARCHED)

    @only_with("status")
    @rule(status=st.sampled_from([FrameStatus.TOO_DENSE, FrameStatus.DISCARDED]))
    def other_frame(self, status: FrameStatus) -> None:
        self._arrive(status)

    def _arrive(self, status: FrameStatus) -> None:
        self.came[self.next_frame] = self.now
        if self.queue:
            self.queue.append((self.next_frame, self.now, status))
        else:
            self._account(self.next_frame, self.now, status)
        self.next_frame += 1

    def _account(self, frame: int, since: float, status: FrameStatus) -> None:
        self.ledger.note(frame, status, since)
        if status is FrameStatus.DISCARDED:
            self.discarded.add(frame)
        if status is SEARCHED:
            self.disk.handed.append(frame)

    @only_with("broken")
    @rule()
    def broken_frame(self) -> None:
        if not self.queue:
            self.ledger.fail(self.ledger.newest + 1)
            self.next_frame = max(self.next_frame, self.ledger.newest + 1)

    @only_with("lost")
    @rule(number=st.integers(1, 3))
    def lose_frames(self, number: int) -> None:
        """They get lost between camera and pipeline; the next number tells."""
        self.next_frame += number

    @only_with("hangs")
    @rule()
    def worker_hangs(self) -> None:
        """Results behind its event wait, until it comes or is given up."""
        if not self.queue:
            lost = self.next_frame
            self.next_frame += 1
            self.came[self.next_frame] = self.now
            self.queue.append((self.next_frame, self.now, SEARCHED))
            self.next_frame += 1
            self.missing = lost

    @only_with("hangs")
    @rule(comes=st.booleans())
    def gap_closes(self, comes: bool) -> None:
        if not self.queue:
            return
        if comes:
            self.came[self.missing] = self.now
            self._account(self.missing, self.now, SEARCHED)
        else:
            self.ledger.lose_before(self.missing + 1)
        for frame, since, status in self.queue:
            self._account(frame, since, status)
        self.queue.clear()

    @only_with("twice")
    @rule(back=st.integers(1, 5))
    def number_comes_again(self, back: int) -> None:
        frame = self.next_frame - back
        if not self.queue and frame in self.came and frame <= self.ledger.newest:
            self.twice.add(frame)
            self.ledger.note(frame, SEARCHED, self.now)

    @only_with("disk")
    @rule(delay=st.sampled_from([0.0, 0.7, 1.4, 3.0, None]))
    def disk_changes(self, delay: float | None) -> None:
        self.disk.delay = delay

    @only_with("disk")
    @rule(what=st.sampled_from(["full", "gone", "space again"]))
    def disk_breaks(self, what: str) -> None:
        if what == "gone" and self.disk.known.problem:
            return  # what was given up is not looked after any more, and permission has ended
        self.disk.full = what == "full"
        self.disk.there &= what != "gone"
        if what == "gone":
            self.disk.durable = FrameRanges()

    @only_with("settings")
    @rule(searching=st.booleans(), wanted=st.booleans(), quality=st.sampled_from(["", "", "Bad."]))
    def settings_change(self, searching: bool, wanted: bool, quality: str) -> None:
        self.searching = searching and wanted
        self.disk.wanted = wanted
        self.quality = quality if searching else "Photon detection is off."

    @only_with("end")
    @rule(beyond=st.booleans())
    def series_ends(self, beyond: bool) -> None:
        if self.queue:
            return
        if beyond:
            self.beyond = True
            self.ledger.go_beyond(self.next_frame)
        else:
            self.ledger.end()
            self.ended = True

    @rule(steps=st.integers(1, 14))
    def time_goes_by(self, steps: int) -> None:
        for _ in range(steps):
            self.now += 0.2
            self.disk.work(self.now)

    def _judge(self) -> Safety:
        queue = NO_QUEUE
        if self.queue:
            frames = tuple(frame for frame, _, _ in self.queue)
            queue = Queue(self.missing, min(since for _, since, _ in self.queue), frames)
        return self.ledger.judge(self.now, self.disk.facts, self.quality, queue)

    def _newest(self) -> int:
        """Return the highest number of which the pipeline can know."""
        return max(self.ledger.newest, *self.came, -1)

    @invariant()
    def no_frame_is_lost_with_permission(self) -> None:
        safety = self._judge()
        assert safety.newest == self._newest()
        if not safety.may_drop_raw:
            assert safety.reason
            return
        assert not self.quality
        assert not self.beyond
        assert self.disk.wanted
        assert not safety.unsafe
        for frame in range(self._newest() + 1):
            assert frame not in self.twice
            if frame in self.disk.durable or frame in self.discarded:
                continue
            if self.disk.there:
                if self.queue and self.ledger.newest < frame and frame not in self.came:
                    # It has been missing since what waits behind it came.
                    assert self.now - self.queue[0][1] <= 1.0 + 1e-6
                else:
                    assert self.now - self.came[frame] <= 2.0 + 1e-6
            else:
                # It was there when it was last looked at.
                assert self.disk.known.seen is not None
                assert self.now - self.disk.known.seen <= 1.5 + 1e-6

    @invariant()
    def every_frame_is_named(self) -> None:
        safety = self._judge()
        if self.disk.known.state is FileState.WRITING and not self.disk.there:
            return  # nobody has looked yet
        for frame in range(self._newest() + 1):
            if frame in self.disk.durable or frame in self.discarded:
                continue
            missing = bool(self.queue) and self.ledger.newest < frame and frame not in self.came
            assert frame in safety.unsafe or frame in safety.waiting or missing
            if self.disk.known.problem and frame <= self.ledger.newest:
                assert frame in safety.unsafe
        if safety.complete:
            assert self.ended
            assert not self.beyond


AnyOrder.TestCase.settings = settings(
    max_examples=repeats(150, 600), stateful_step_count=30, deadline=None, database=None
)
TestAnyOrder = AnyOrder.TestCase
