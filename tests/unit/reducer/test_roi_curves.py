import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reducer.reorder import Reorder
from pipeline.reducer.roi_curves import RoiSeries, ScanAxis, step_mean


@given(st.permutations(range(30)))
def test_any_order_comes_out_in_order(order: list[int]) -> None:
    reorder: Reorder[int] = Reorder()
    out = [item for number in order for item in reorder.add(number, number)]
    assert out == list(range(30))


def test_what_comes_twice_is_given_out_and_a_gap_waits_for_the_end() -> None:
    reorder: Reorder[str] = Reorder()
    assert list(reorder.add(0, "start of one")) == ["start of one"]
    assert list(reorder.add(0, "start of another")) == ["start of another"]
    assert list(reorder.add(2, "c")) == []
    assert list(reorder.add(4, "e")) == []
    assert list(reorder.rest()) == ["c", "e"]


def test_a_lost_event_does_not_hold_back_a_long_run() -> None:
    reorder: Reorder[int] = Reorder(limit=10)
    out = [item for number in range(1, 100) for item in reorder.add(number, number)]
    assert out == list(range(1, 100))


def test_step_mean_is_mean_and_standard_error() -> None:
    values = np.array([1.0, 2.0, 4.0, math.nan])
    step = step_mean(values)
    assert step.mean == pytest.approx(7 / 3)
    assert step.error == pytest.approx(np.std([1, 2, 4], ddof=1) / math.sqrt(3))
    assert step.n == 3
    assert math.isnan(step_mean(np.array([5.0])).error)
    assert step_mean(np.array([math.nan])).n == 0


def test_a_series_keeps_the_newest_rows_and_new_rois() -> None:
    series = RoiSeries(keep=300)
    for i in range(1000):
        values = {"a": float(i)} if i < 900 else {"a": float(i), "b": -float(i)}
        series.append(i, values)
    np.testing.assert_array_equal(series.x(), np.arange(700, 1000))
    np.testing.assert_array_equal(series.values("a"), np.arange(700, 1000))
    b = series.values("b")
    assert np.isnan(b[:200]).all()
    np.testing.assert_array_equal(b[200:], -np.arange(900, 1000))
    assert np.isnan(series.values("never")).all()


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
