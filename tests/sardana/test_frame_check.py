import pytest

from femtotango.sardana.frame_check import FrameCheck
from femtotango.sardana.running_scan import Prepared, ScanRequest

BEFORE = 100
PILATUS, ZYLA = "pilatus", "andor3_zyla12"


def check(burst: int = 2, cameras: tuple[str, ...] = (PILATUS,), **prepared: bool) -> FrameCheck:
    request = ScanRequest((*cameras, "sardana"), 10, burst)
    return FrameCheck(Prepared(request, received=BEFORE, **{"waits": True, **prepared}))


def test_frames_as_requested_are_no_news():
    scan = check()
    for point in range(3):
        verdict = scan.after_point(point, {PILATUS: 2 * (point + 1)}, BEFORE + 2 * (point + 1))
        assert (verdict.warning, verdict.excess, verdict.lost) == ("", False, False)
        assert scan.frame_numbers(point, False) == (2 * point, 2 * point + 2)
    assert scan.at_the_end(3) == ""


def test_more_frames_are_told_once_and_belong_to_no_point():
    scan = check()
    assert not scan.after_point(0, {PILATUS: 2}, BEFORE + 2).excess
    verdict = scan.after_point(1, {PILATUS: 4}, BEFORE + 5)
    assert verdict.excess
    assert "MORE FRAMES THAN REQUESTED: 5 until point 1, requested were 4" in verdict.warning
    assert scan.frame_numbers(1, False) == (0, 0)
    assert scan.after_point(2, {PILATUS: 6}, BEFORE + 8).warning == ""
    assert scan.frame_numbers(2, False) == (0, 0)


def test_a_missing_frame_is_told_once():
    scan = check()
    assert (
        "Point 0: 1 of 2 frames did not come"
        in scan.after_point(0, {PILATUS: 1}, BEFORE + 1).warning
    )
    assert scan.after_point(1, {PILATUS: 3}, BEFORE + 3).warning == ""
    assert scan.frame_numbers(1, False) == (2, 4)
    assert "Point 2: 1 of 2" in scan.after_point(2, {PILATUS: 4}, BEFORE + 4).warning
    assert scan.at_the_end(3) == "2 of 6 frames did not come in this scan."


def test_scan_without_any_frame_at_two_points_is_lost():
    scan = check()
    scan.after_point(0, {PILATUS: 2}, BEFORE + 2)
    assert not scan.after_point(1, {PILATUS: 2}, BEFORE + 2).lost
    verdict = scan.after_point(2, {PILATUS: 2}, BEFORE + 2)
    assert verdict.lost
    assert "since point 1" in verdict.warning


def test_nobody_says_that_frames_are_missing_when_nobody_waits_for_them():
    scan = check(waits=False)
    for point in range(5):
        verdict = scan.after_point(point, {PILATUS: 0}, BEFORE)
        assert (verdict.warning, verdict.lost) == ("", False)
    assert scan.at_the_end(5) == ""


def test_a_missed_trigger_has_no_frames_and_shifts_none():
    scan = check(triggered=True)
    numbers = [scan.frame_numbers(point, point in (0, 2)) for point in range(4)]
    assert numbers == [None, (0, 2), None, (2, 4)]
    assert "The camera missed 2 of 4 triggers" in scan.at_the_end(4)


@pytest.mark.parametrize("burst", [1, 7])
def test_burst_counts_in_all_numbers(burst: int):
    assert check(burst).frame_numbers(3, False) == (3 * burst, 4 * burst)


def test_the_frames_of_each_camera_are_counted():
    scan = check(cameras=(PILATUS, ZYLA))
    assert scan.after_point(0, {PILATUS: 2, ZYLA: 2}, BEFORE + 4).warning == ""
    verdict = scan.after_point(1, {PILATUS: 4, ZYLA: 3}, BEFORE + 7)
    assert verdict.warning == "Point 1: 1 of 4 frames did not come."
    assert scan.at_the_end(2) == "1 of 8 frames did not come in this scan."
    verdict = scan.after_point(2, {PILATUS: 7, ZYLA: 4}, BEFORE + 11)
    assert verdict.excess
    assert "13 until point 2, requested were 12, 4 per point" in verdict.warning


def test_a_camera_that_is_silent_leaves_the_scan_to_the_others():
    scan = check(cameras=(PILATUS, ZYLA))
    assert "Point 0: 2 of 4" in scan.after_point(0, {PILATUS: 2}, BEFORE + 2).warning
    for point in range(1, 5):
        assert not scan.after_point(point, {PILATUS: 2 * (point + 1)}, BEFORE).lost
