"""Is every frame safe somewhere? Each condition alone, then everything in any order."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from pipeline.model.frame_ranges import FrameRanges
from pipeline.photons.frame_safety import (
    NO_QUEUE,
    FileFacts,
    FileState,
    FrameLedger,
    Queue,
    Safety,
    frames_text,
)
from pipeline.protocols.batch import FrameStatus

SEARCHED = FrameStatus.SEARCHED
GOOD = ""


def standing(last: int, seen: float = 0.0) -> FileFacts:
    """Return a file that stands, with the frames from 0 on."""
    ranges = [(0, last)] if last >= 0 else []
    return FileFacts(FileState.WRITING, "/p/s_xye.h5", "", FrameRanges(ranges), seen)


def ledger_of(frames: int, since: float = 0.0) -> FrameLedger:
    ledger = FrameLedger()
    for frame in range(frames):
        ledger.note(frame, SEARCHED, since)
    return ledger


def test_all_frames_are_durable() -> None:
    ledger = ledger_of(5)
    safety = ledger.judge(0.5, standing(4), GOOD)
    assert safety.may_drop_raw
    assert (safety.reason, safety.trouble, safety.newest) == ("", "", 4)
    assert not safety.unsafe
    assert not safety.waiting
    assert not safety.complete
    ledger.end()
    assert ledger.judge(0.5, standing(4), GOOD).complete


def test_a_series_is_complete_when_its_last_frame_is_durable() -> None:
    ledger = ledger_of(5)
    ledger.end()
    assert not ledger.judge(0.5, standing(3), GOOD).complete
    assert ledger.judge(0.5, standing(4), GOOD).complete


def test_before_the_first_frame_the_scan_before_vouches() -> None:
    assert FrameLedger().judge(0.5, standing(-1), GOOD).may_drop_raw
    making = FileFacts(FileState.WRITING, seen=0.0)
    assert FrameLedger().judge(0.5, making, GOOD).may_drop_raw
    assert "its folder" in FrameLedger().judge(1.6, making, GOOD).trouble


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (replace(standing(4), seen=-2.0), "hangs"),
        (replace(standing(4), state=FileState.FAILED, problem="disk is full"), "disk is full"),
        (replace(standing(-1), state=FileState.GONE, problem="was deleted"), "was deleted"),
        (replace(standing(4), state=FileState.OFF), "switch WritePhotons on"),
        (FileFacts(FileState.UNNAMED), "names no raw file"),
        (FileFacts(FileState.NO_HEADER), "header of this series was not seen"),
        (FileFacts(FileState.WRITING), "no photon file yet"),
    ],
)
def test_the_file_must_stand_and_take_photons(file: FileFacts, words: str) -> None:
    safety = ledger_of(5).judge(0.0, file, GOOD)
    assert words in safety.reason
    assert not safety.may_drop_raw
    somebody_must_see_to_it = "hangs" in words or bool(file.problem)
    assert bool(safety.trouble) == somebody_must_see_to_it


def test_no_frame_waits_longer_than_two_seconds() -> None:
    ledger = ledger_of(5, since=10.0)
    assert ledger.judge(11.9, standing(3, 11.9), GOOD).may_drop_raw
    late = ledger.judge(12.1, standing(3, 12.1), GOOD)
    assert "frame 4 on have waited 2 s" in late.trouble
    assert frames_text(late.waiting) == "4"
    assert not late.unsafe
    assert ledger.judge(12.2, standing(4, 12.1), GOOD).may_drop_raw
    assert ledger.oldest_waiting(standing(4, 12.1)) is None


def test_a_frame_that_was_late_does_not_hide_those_that_waited_for_it() -> None:
    ledger = FrameLedger()
    ledger.note(0, SEARCHED, 12.0)
    ledger.note(1, SEARCHED, 10.0)
    assert "frame 1 on have waited 2 s" in ledger.judge(12.1, standing(-1, 12.1), GOOD).trouble


def test_what_waits_is_lost_when_the_disk_refuses() -> None:
    ledger = ledger_of(5)
    full = replace(standing(2), state=FileState.FAILED, problem="full")
    assert frames_text(ledger.judge(0.1, full, GOOD).unsafe) == "3-4"
    ledger.note(5, SEARCHED, 0.2)
    assert frames_text(ledger.judge(0.3, full, GOOD).unsafe) == "3-5"


def test_all_is_lost_when_the_file_is_gone() -> None:
    gone = FileFacts(FileState.GONE, "/p/s_xye.h5", "was deleted")
    assert frames_text(ledger_of(5).judge(0.1, gone, GOOD).unsafe) == "0-4"


@pytest.mark.parametrize(
    "status", [FrameStatus.TOO_DENSE, FrameStatus.FAILED, FrameStatus.NOT_SEARCHED]
)
def test_a_frame_without_photons_needs_its_raw_data(status: FrameStatus) -> None:
    ledger = ledger_of(2)
    ledger.note(2, status, 0.0)
    safety = ledger.judge(0.1, standing(1), GOOD)
    assert "Frames 2 of this scan" in safety.reason
    assert frames_text(safety.unsafe) == "2"


def test_a_discarded_frame_is_accounted_for() -> None:
    ledger = ledger_of(2)
    ledger.note(2, FrameStatus.DISCARDED, 0.0)
    assert ledger.judge(0.1, standing(1), GOOD).may_drop_raw


def test_a_new_process_waits_until_it_has_found_the_frames_in_the_file() -> None:
    ledger = ledger_of(6)
    assert ledger.judge(0.1, standing(5), GOOD).may_drop_raw
    ledger.go_on(FrameRanges([(0, 5)]), 100.0)
    unread = standing(-1, seen=100.0)
    assert frames_text(ledger.judge(100.1, unread, GOOD).waiting) == "0-5"
    assert "have waited" in ledger.judge(103.0, replace(unread, seen=103.0), GOOD).trouble
    safety = ledger.judge(103.0, standing(5, seen=103.0), GOOD)
    assert safety.may_drop_raw and not safety.waiting and not safety.trouble


def test_what_the_continued_file_lacks_is_unsafe() -> None:
    ledger = ledger_of(6)
    ledger.judge(0.1, standing(5), GOOD)
    ledger.go_on(FrameRanges([(0, 5)]), 100.0)
    safety = ledger.judge(100.1, replace(standing(3, 100.0), lost=FrameRanges([(4, 5)])), GOOD)
    assert frames_text(safety.unsafe) == "4-5"
    assert not safety.waiting and not safety.may_drop_raw


def test_a_frame_that_only_the_continued_file_knows_is_safe() -> None:
    ledger = ledger_of(3)
    ledger.go_on(FrameRanges(), 100.0)
    ledger.note(6, SEARCHED, 100.0)
    file = replace(standing(6, 100.0), found=FrameRanges([(0, 4)]))
    assert frames_text(ledger.judge(100.1, file, GOOD).unsafe) == "5"
    assert ledger.never_came


def test_a_number_that_was_left_out_never_came_until_it_does() -> None:
    ledger = ledger_of(2)
    ledger.note(4, SEARCHED, 0.0)
    assert ledger.never_came
    assert frames_text(ledger.judge(0.1, standing(4), GOOD).unsafe) == "2-3"
    for frame in (2, 3):
        ledger.note(frame, SEARCHED, 0.1)
    assert not ledger.never_came
    assert ledger.judge(0.2, standing(4), GOOD).may_drop_raw


def test_a_frame_that_failed_had_the_number_that_is_left_over() -> None:
    ledger = ledger_of(2)
    ledger.fail(2)
    assert frames_text(ledger.judge(0.1, standing(1), GOOD).unsafe) == "2"
    ledger.note(2, SEARCHED, 0.1)
    assert ledger.judge(0.2, standing(2), GOOD).may_drop_raw


def test_a_number_that_comes_twice_is_not_vouched_for() -> None:
    ledger = ledger_of(3)
    ledger.note(1, SEARCHED, 0.1)
    assert frames_text(ledger.judge(0.2, standing(2), GOOD).unsafe) == "1"


def test_results_behind_an_event_that_does_not_come() -> None:
    ledger = ledger_of(3)
    queue = Queue(event=4, since=5.0, frames=(4, 6))
    early = ledger.judge(5.9, standing(2, 5.9), GOOD, queue)
    assert early.may_drop_raw
    assert (early.newest, frames_text(early.waiting)) == (6, "4, 6")
    late = ledger.judge(6.1, standing(2, 6.1), GOOD, queue)
    assert "Event 4 has not come for 1 s" in late.reason
    assert late.stalled == late.reason
    assert not late.trouble


def test_a_series_that_goes_on_beyond_its_end() -> None:
    ledger = ledger_of(20)
    ledger.go_beyond(20)
    safety = ledger.judge(0.1, standing(19), GOOD)
    assert "frame 20 came in place of its end" in safety.reason
    ledger.end()
    assert not ledger.judge(0.1, standing(19), GOOD).complete


def test_bad_photons_are_no_reason_for_an_alarm_of_the_file() -> None:
    safety = ledger_of(3).judge(0.1, standing(2), "They pile up.")
    assert (safety.reason, safety.trouble) == ("They pile up.", "")


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
    known: FileFacts = field(default_factory=lambda: standing(-1))
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
        self.disk.known = standing(-1, self.now)
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
    max_examples=600, stateful_step_count=30, deadline=None, database=None
)
TestAnyOrder = AnyOrder.TestCase
