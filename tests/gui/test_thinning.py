"""Fewer points for long curves."""

import numpy as np

from femtotango.gui.plots.thinning import MOST_POINTS, thinned


def test_short_curves_stay_as_they_are() -> None:
    x, y, errors = np.arange(5.0), np.ones(5), np.zeros(5)
    assert all(a is b for a, b in zip(thinned(x, y, errors), (x, y, errors), strict=True))


def test_long_curves_become_means_of_neighbours() -> None:
    n = 10 * MOST_POINTS
    rng = np.random.default_rng(0)
    y = rng.normal(5, 2, n)
    x, value, errors = thinned(np.arange(float(n)), y, np.full(n, 2.0))
    assert len(x) == len(value) == MOST_POINTS
    np.testing.assert_allclose(value, y.reshape(-1, 10).mean(1))
    np.testing.assert_allclose(x, np.arange(n).reshape(-1, 10).mean(1))
    assert errors is not None
    np.testing.assert_allclose(errors, 2 / np.sqrt(10))


def test_missing_values_are_left_out_and_stay_missing_where_all_are() -> None:
    y = np.ones(2 * MOST_POINTS)
    y[0] = np.nan
    y[2:4] = np.nan
    _, value, _ = thinned(np.arange(float(len(y))), y)
    assert value[0] == 1.0
    assert np.isnan(value[1])
    assert np.isfinite(value[2:]).all()


def test_points_that_fill_no_group_are_a_smaller_one() -> None:
    n = 2 * MOST_POINTS + 1  # groups of 3, and 2 at the end
    y = np.zeros(n)
    y[-1] = 7.0
    _, value, _ = thinned(np.arange(float(n)), y)
    assert value[-1] == 3.5
