import math

from pipeline.reducer.roi_curves import RoiTotals


def test_differences_between_two_looks_are_the_frames_in_between():
    totals = RoiTotals()
    totals.add_means({"a": 1.0, "b": 2.0})
    sums, counts = totals.sums(["b", "a"]), totals.counts(["b", "a"])
    totals.add_means({"a": 3.0, "b": math.nan})
    totals.add_means({"a": 5.0, "b": 4.0})
    assert (totals.sums(["b", "a"]) - sums).tolist() == [4.0, 8.0]
    assert (totals.counts(["b", "a"]) - counts).tolist() == [1, 2]


def test_roi_that_was_never_seen_has_no_frames():
    totals = RoiTotals()
    totals.add_means({"a": 1.0})
    assert totals.sums(["new"]).tolist() == [0.0]
    assert totals.counts(["new"]).tolist() == [0]
