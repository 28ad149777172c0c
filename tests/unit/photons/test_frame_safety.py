"""Is every frame safe somewhere? Each condition alone."""

from dataclasses import replace

import pytest

from pipeline.model.frame_ranges import FrameRanges
from pipeline.photons.frame_safety import FileFacts, FileState, FrameLedger, Queue, frames_text
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
