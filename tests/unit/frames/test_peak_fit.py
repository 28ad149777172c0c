"""Fits of peaks and steps to scans whose truth is known."""

import math

import numpy as np
import pytest
from support.repeats import repeats

from pipeline.frames.peak_fit import PARAMETERS, PeakFit, fit_peak
from pipeline.frames.peak_models import SHAPES, smooth_line
from pipeline.frames.residual_scatter import scatter_sigmas
from pipeline.model.parameters import MODELS

FITTED = [model for model in MODELS if model != "none"]
SCANS = repeats(200, 5000)
WITHIN_TWO = math.erf(math.sqrt(2))
"""Share within ± 2 σ, 0.954; of 200 scans it scatters by 1.5 %, of 5000 by 0.3 %."""


def curve(model: str, x: np.ndarray, centre: float, fwhm: float, height: float, offset: float):
    return SHAPES[model].curve(x, np.array([centre, math.log(fwhm), height, offset, 0.4]))


def scan(
    rng: np.random.Generator, model: str, burst: int, points: int, shot: float = 0.05
) -> tuple[PeakFit, float]:
    """Fit one random scan; return the truth of the centre too."""
    x = rng.uniform(-50, 50) + np.linspace(0, 4, points)
    centre = x[0] + rng.uniform(1, 3)
    truth = curve(model, x, centre, rng.uniform(0.5, 1.5), rng.uniform(20, 200), rng.uniform(0, 50))
    frames = truth[:, None] * (1 + shot * rng.normal(size=(points, burst)))
    frames += 3 * rng.normal(size=(points, burst))
    errors = np.full(points, math.nan)
    if burst > 1:
        errors = frames.std(axis=1, ddof=1) / math.sqrt(burst)
    counts = np.full(points, float(burst))
    return fit_peak(x, frames.mean(axis=1), errors, counts, model=model), centre


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("shot", [0.0, 0.05, 0.2])
@pytest.mark.parametrize(("burst", "points"), [(10, 21), (3, 31), (1, 31)])
def test_the_truth_is_within_two_errors(burst: int, points: int, shot: float) -> None:
    rng = np.random.default_rng(7)
    # A peak of single shots that differ by a fifth may drown in them; that is said, not shown.
    single = burst == 1 and shot > 0.1
    # Their errors scatter most, and show themselves only in many scans.
    scans = SCANS if single else repeats(SCANS // 3, SCANS)
    pulls = []
    for number in range(scans):
        fit, centre = scan(rng, FITTED[number % len(FITTED)], burst, points, shot)
        if fit.valid:
            pulls.append((fit.values["centre"] - centre) / fit.errors["centre"])
    assert len(pulls) >= (0.85 if single else 0.975) * scans
    # At least what ± 2 σ hold, less what chance takes from so many scans.
    scatter = math.sqrt(WITHIN_TWO * (1 - WITHIN_TWO) / len(pulls))
    assert np.mean(np.abs(pulls) <= 2) >= WITHIN_TWO - 2 * scatter
    # Nor are the errors much too large: they would say nothing.
    assert np.median(np.abs(pulls)) / 0.6745 > 0.6


def test_single_shots_that_differ_weigh_by_their_height() -> None:
    rng = np.random.default_rng(5)
    x = np.linspace(0.0, 4.0, 41)
    truth = curve("gaussian", x, 2.0, 1.0, 100.0, 5.0)
    scatter = 1 + 0.2 * truth
    sigma = np.ones(41)
    for _ in range(3):
        off = np.sqrt(41 / 40) * rng.permutation(np.tile([-1.0, 1.0], 21)[:41]) * scatter / sigma
        sigma = scatter_sigmas((truth - 5) / 100, off, np.ones((41, 1)) / sigma[:, None], sigma)
    np.testing.assert_allclose(sigma, scatter, rtol=0.15)


@pytest.mark.parametrize("model", FITTED)
@pytest.mark.parametrize("height", [800.0, -800.0])
def test_a_clean_curve_gives_its_parameters(model: str, height: float) -> None:
    x = np.linspace(10.0, 14.0, 41)
    y = curve(model, x, 11.7, 0.6, height, 900.0)
    order = np.random.default_rng(0).permutation(41)
    fit = fit_peak(x[order], y[order], model=model)
    assert fit.valid
    for name, value in zip(PARAMETERS, (11.7, 0.6, height, 900.0), strict=True):
        assert fit.values[name] == pytest.approx(value, rel=1e-4)
    np.testing.assert_allclose(fit.curve, y[order], atol=0.1)
    assert fit.status.startswith(f"{model}, 41 points")


def test_steps_of_one_frame_weigh_as_the_others_do() -> None:
    rng = np.random.default_rng(1)
    x = np.linspace(0.0, 4.0, 31)
    y = curve("gaussian", x, 2.0, 1.0, 100.0, 10.0) + rng.normal(0, 2.0, 31)
    errors, counts = np.full(31, 2.0), np.full(31, 20.0)
    all_known = fit_peak(x, y, errors, counts)
    errors[::3], counts[::3] = math.nan, 1
    some = fit_peak(x, y, errors, counts)
    assert some.values["centre"] == pytest.approx(all_known.values["centre"], abs=1e-3)
    assert some.errors["centre"] == pytest.approx(all_known.errors["centre"], rel=0.1)


def test_points_without_a_value_are_left_out_but_have_a_fitted_one() -> None:
    x = np.linspace(0.0, 4.0, 31)
    y = curve("gaussian", x, 2.0, 1.0, 100.0, 10.0)
    y[3], y[20] = math.nan, math.inf
    fit = fit_peak(x, y)
    assert fit.values["centre"] == pytest.approx(2.0, abs=1e-4)
    assert len(fit.curve) == 31
    assert np.isfinite(fit.curve).all()


def noise(height: float = 0.0, fwhm: float = 1.0, centre: float = 2.0) -> np.ndarray:
    x = np.linspace(0.0, 4.0, 31)
    return curve("gaussian", x, centre, fwhm, height, 10.0) + np.random.default_rng(2).normal(
        0, 2.0, 31
    )


@pytest.mark.parametrize(
    ("y", "why"),
    [
        (noise()[:4], "4 different points, at least 5"),
        (noise()[:1], "1 point, at least 5"),
        (np.full(31, 7.0), "all points have the value 7"),
        (noise(), "no fit"),
        (noise(500.0, centre=6.0, fwhm=3.0), "outside of the scan"),
        (noise(500.0, fwhm=0.05, centre=1.93), "too few points"),
        (10 + 100 * (np.arange(31) % 6 < 3), "no fit"),
        (100 * np.abs(np.arange(31) - 15.0) % 400, "no fit"),
        (np.full(31, math.nan), "0 different points"),
    ],
)
def test_a_bad_fit_says_why_and_shows_no_numbers(y: np.ndarray, why: str) -> None:
    fit = fit_peak(np.linspace(0.0, 4.0, 31)[: len(y)], y)
    assert why in fit.status
    assert not fit.valid
    assert not len(fit.curve)
    assert all(map(math.isnan, [*fit.values.values(), *fit.errors.values()]))


def test_noise_is_hardly_ever_a_peak() -> None:
    rng = np.random.default_rng(3)
    x = np.linspace(0.0, 4.0, 31)
    fits = [fit_peak(x, rng.normal(10, 2, 31), np.full(31, 2.0)) for _ in range(60)]
    assert sum(fit.valid for fit in fits) <= 3


def test_no_model_is_no_error() -> None:
    assert "none" in fit_peak(np.arange(9.0), np.arange(9.0), model="none").status
    with pytest.raises(ValueError, match="use one of none, gaussian"):
        fit_peak(np.arange(9.0), np.arange(9.0), model="sinc")
    with pytest.raises(ValueError, match="9 x, 8 y"):
        fit_peak(np.arange(9.0), np.arange(8.0))


@pytest.mark.parametrize("model", FITTED)
def test_the_line_of_a_fit_goes_on_between_the_points(model: str) -> None:
    x = np.array([3.0, 1.0, 2.0, 5.0, 4.0, np.nan])
    truth = (2.6, 1.2, 30.0, 4.0)
    positions, values = smooth_line(model, truth, x, curve(model, x, *truth))
    assert len(positions) == 200 and (positions[0], positions[-1]) == (1.0, 5.0)
    np.testing.assert_allclose(values, curve(model, positions, *truth))
