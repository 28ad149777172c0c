import numpy as np

from pipeline.reducer.roi_series import RoiSeries


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


def test_the_newest_rows_are_the_last_of_all() -> None:
    series = RoiSeries(keep=4)
    for i in range(9):
        series.append(i, {"a": float(i)})
    assert series.values("a", 2).tolist() == series.x(2).tolist() == [7, 8]
    assert series.values("a", 100).tolist() == series.values("a").tolist() == [5, 6, 7, 8]
    assert np.isnan(series.values("b", 3)).tolist() == [True] * 3
