import math

import numpy as np

from pipeline.model.roi import MAX_ROIS
from pipeline.model.roi_statistics import STATISTICS
from pipeline.reducer.roi_series import RoiSeries
from pipeline.reducer.roi_totals import RoiTotals


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
