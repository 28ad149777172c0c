import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.roi import MAX_ROIS
from pipeline.model.roi_statistics import STATISTICS
from pipeline.reducer.roi_curves import RoiSeries, RoiTotals, ScanAxis, step_mean, with_another


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


def table(*values: float) -> np.ndarray:
    """Return statistics of some ROIs, each with one value for all."""
    return np.repeat(np.array(values)[:, None], len(STATISTICS), axis=1)


def test_names_that_are_gone_make_room_for_new_ones() -> None:
    series, totals = RoiSeries(), RoiTotals()
    for number in range(1000):
        means = {"stays": 1.0, f"roi{number}": float(number)}
        series.append(number, means)
        totals.add(tuple(means), table(*means.values()))
    assert len(series.names) == MAX_ROIS
    assert series.names[0] == "stays"
    assert series.values("stays").tolist() == [1.0] * 1000
    newest = series.values("roi999")
    assert np.isnan(newest[:999]).all()
    assert newest[999] == 999
    assert series.values(f"roi{1001 - MAX_ROIS}")[1001 - MAX_ROIS] == 1001 - MAX_ROIS
    assert np.isnan(series.values("roi0")).all()
    assert [totals.counts(name)[0] for name in ("stays", "roi999", "roi0")] == [1000, 1, 0]
    assert len(totals._sums) == len(totals._counts) == MAX_ROIS
    assert totals.sums("roi999")[0] == 999


def test_as_many_rois_as_are_possible_stay_and_may_all_be_replaced() -> None:
    series = RoiSeries()
    for round_ in range(3):
        series.append(round_, {f"{round_}-{n}": float(n) for n in range(MAX_ROIS)})
    assert series.names == tuple(f"2-{n}" for n in range(MAX_ROIS))
    np.testing.assert_array_equal(series.values("2-7"), [np.nan, np.nan, 7.0])


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


def test_differences_between_two_moments_are_the_frames_in_between():
    totals = RoiTotals()
    totals.add(("a", "b"), table(1.0, 2.0))
    before = [(totals.sums(name), totals.counts(name)) for name in ("b", "a")]
    totals.add(("a", "b"), table(3.0, math.nan))
    totals.add(("a", "b"), table(5.0, 4.0))
    for (sums, counts), name, gain, frames in zip(before, ("b", "a"), (4, 8), (1, 2), strict=True):
        assert (totals.sums(name) - sums).tolist() == [gain] * len(STATISTICS)
        assert (totals.counts(name) - counts).tolist() == [frames] * len(STATISTICS)


def test_roi_that_was_never_seen_has_no_frames():
    totals = RoiTotals()
    totals.add(("a",), table(1.0))
    assert not totals.sums("new").any()
    assert not totals.counts("new").any()


def test_the_newest_rows_are_the_last_of_all() -> None:
    series = RoiSeries(keep=4)
    for i in range(9):
        series.append(i, {"a": float(i)})
    assert series.values("a", 2).tolist() == series.x(2).tolist() == [7, 8]
    assert series.values("a", 100).tolist() == series.values("a").tolist() == [5, 6, 7, 8]
    assert np.isnan(series.values("b", 3)).tolist() == [True] * 3


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20))
def test_a_value_that_comes_late_counts_as_if_it_had_come_in_time(values: list[float]) -> None:
    step = step_mean(np.array(values[:1]))
    for value in values[1:]:
        step = with_another(step, value)
    expected = step_mean(np.array(values))
    assert step.n == expected.n
    assert step.mean == pytest.approx(expected.mean, abs=1e-9)
    assert step.error == pytest.approx(expected.error, abs=1e-6, nan_ok=True)
    assert with_another(step, math.nan) is step


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
