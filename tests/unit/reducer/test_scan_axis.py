import math

import numpy as np
import pytest

from pipeline.reducer.scan_axis import ScanAxis


def test_a_record_closes_the_burst_before_it() -> None:
    axis = ScanAxis()
    axis.describe({"ref_moveables": ["m1", "m2"], "title": "mesh", "serialno": 7})
    for step in range(3):
        for frame in range(4):
            axis.add_frame(step * 4 + frame, {"a": step * 10.0 + frame})
        axis.add_record({"m1": step * 0.5, "m2": -step})
    axis.add_frame(12, {"a": 99.0})
    np.testing.assert_array_equal(axis.means.x(), [0, 0.5, 1])
    np.testing.assert_array_equal(axis.means.values("a"), [1.5, 11.5, 21.5])
    np.testing.assert_array_equal(axis.counts.values("a"), [4, 4, 4])
    assert list(axis.positions["m2"]) == [0, -1, -2]
    assert axis.serial == 7


def test_a_scan_without_movable_has_no_steps() -> None:
    axis = ScanAxis()
    axis.describe({"ref_moveables": [], "title": "ct"})
    axis.add_frame(0, {"a": 1.0})
    axis.add_record({"point_nb": 0})
    assert not axis.by_step
    assert len(axis.means) == 0
    np.testing.assert_array_equal(axis.frames.values("a"), [1.0])


def test_a_frame_that_comes_after_its_record_is_added_to_its_step() -> None:
    axis = ScanAxis()
    axis.describe({"ref_moveables": ["m"]})
    axis.add_frame(0, {"a": 1.0}, event=1)
    axis.add_record({"m": 0.5}, event=3)
    axis.add_frame(2, {"a": 10.0}, event=4)
    axis.add_record({"m": 1.0}, event=6)
    axis.add_frame(1, {"a": 3.0}, event=2)
    axis.add_frame(3, {"a": 20.0}, event=5)
    assert axis.means.values("a").tolist() == [2.0, 15.0]
    assert axis.counts.values("a").tolist() == [2.0, 2.0]
    assert axis.errors.values("a").tolist() == pytest.approx([1.0, 5.0])
    assert len(axis.means) == 2


def test_a_record_that_comes_late_takes_no_frames_of_the_next_step() -> None:
    axis = ScanAxis()
    axis.describe({"ref_moveables": ["m"]})
    axis.add_frame(0, {"a": 1.0}, event=1)
    axis.add_frame(1, {"a": 10.0}, event=3)
    axis.add_record({"m": 0.5}, event=2)
    axis.add_record({"m": 1.0}, event=4)
    assert axis.means.values("a").tolist() == [1.0, 10.0]


def test_frames_that_come_before_the_description_find_their_step() -> None:
    axis = ScanAxis()
    axis.add_frame(0, {"a": 1.0}, event=1)
    axis.describe({"ref_moveables": ["m"]})
    axis.add_frame(1, {"a": 2.0}, event=2)
    axis.add_record({"m": 0.5}, event=3)
    assert axis.means.values("a").tolist() == [1.5]


def test_a_camera_that_comes_later_has_the_steps_before_it() -> None:
    axis = ScanAxis()
    axis.describe({"ref_moveables": ["m"], "serialno": 3})
    axis.add_record({"m": 0.5}, event=3)
    other = axis.of_another_camera()
    other.add_frame(1, {"a": 2.0}, event=5)
    other.add_record({"m": 1.0}, event=6)
    assert other.means.x().tolist() == [0.5, 1.0]
    np.testing.assert_array_equal(other.means.values("a"), [math.nan, 2.0])
    assert list(other.positions["m"]) == [0.5, 1.0]
    assert other.serial == 3
