import numpy as np
import pytest

from pipeline.protocols.sardana import FRAME_NUMBERS, VOID_BEFORE, frame_range
from pipeline.reducer.scan_axis import ScanAxis
from pipeline.reducer.step_frames import StepFrames


def frames(*numbers: int) -> StepFrames:
    steps = StepFrames()
    for number in numbers:
        steps.add(number, {"a": float(number)})
    return steps


def record(begin: int, end: int) -> dict[str, object]:
    return {"type": "RecordData", "m": 0.0, FRAME_NUMBERS: [begin, end]}


def taken(steps: StepFrames, *numbers: int) -> list[float]:
    return [means["a"] for means in steps.take(record(*numbers) if numbers else {})]


def test_a_lost_frame_does_not_move_those_that_follow():
    # Number 1 is lost, so 2, 4 and 6 came in the last event of the step before.
    steps = frames(0, 2)
    assert taken(steps, 0, 2) == [0.0]
    steps.add(3, {"a": 3.0})
    steps.add(4, {"a": 4.0})
    assert taken(steps, 2, 4) == [2.0, 3.0]
    steps.add(5, {"a": 5.0})
    assert taken(steps, 4, 6) == [4.0, 5.0]


def test_a_record_without_numbers_takes_what_came():
    steps = frames(0, 1)
    assert taken(steps) == [0.0, 1.0]
    assert taken(steps) == []


def test_a_record_of_no_frames_takes_none_and_keeps_those_of_the_next():
    steps = frames(0, 1)
    assert taken(steps, 0, 0) == []
    assert taken(steps, 0, 2) == [0.0, 1.0]


def test_a_camera_that_counts_anew_at_each_point_is_taken_in_order():
    steps = frames(0, 1)
    assert taken(steps, 0, 2) == [0.0, 1.0]
    steps.add(0, {"a": 10.0})
    steps.add(1, {"a": 11.0})
    assert taken(steps, 2, 4) == [10.0, 11.0]


def test_a_camera_that_does_not_count_from_the_start_is_taken_in_order():
    steps = frames(1000, 1001)
    assert taken(steps, 0, 2) == [1000.0, 1001.0]
    steps.add(1002, {"a": 1002.0})
    assert taken(steps, 2, 4) == [1002.0]


def test_numbers_that_come_twice_between_two_records_lose_no_frame():
    steps = frames(0, 1, 0, 1)
    assert len(taken(steps, 0, 2)) == 4


@pytest.mark.parametrize("value", [None, 3, [1], [1, 2, 3], [1.0, 2], ["a", "b"], [True, 2]])
def test_numbers_that_cannot_be_used_are_none(value: object):
    assert frame_range({FRAME_NUMBERS: value}) is None


def test_a_record_can_void_the_step_before_it():
    axis = ScanAxis()
    axis.describe({"ref_moveables": ["m"]})
    for step in range(3):
        axis.add_frame(step, {"a": float(step)})
        axis.add_record({**record(step, step + 1), "m": step})
    axis.add_record({**record(0, 0), "m": 3, VOID_BEFORE: True})
    np.testing.assert_array_equal(axis.means.values("a"), [0.0, 1.0, np.nan, np.nan])
    np.testing.assert_array_equal(axis.means.x(), [0, 1, 2, 3])
