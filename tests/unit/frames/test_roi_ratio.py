"""Differences and ratios of ROIs, shot by shot and per step."""

import math

import numpy as np
import pytest

from pipeline.frames.roi_ratio import shot_ratios, step_ratios, subtract_sum


def shots(
    rng: np.random.Generator, steps: int, burst: int, noise: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return numerator, denominator, step and true ratio of shots that differ by 30 %."""
    truth = 2 + np.sin(np.arange(steps))
    step = np.repeat(np.arange(steps), burst)
    intensity = 1000 * np.maximum(rng.normal(1, 0.3, len(step)), 0.05)
    signal = truth[step] * intensity + noise * rng.normal(size=len(step))
    return signal, intensity, step, truth


def test_the_ratio_removes_what_the_shots_have_in_common() -> None:
    rng = np.random.default_rng(61)
    signal, intensity, step, truth = shots(rng, 200, 20, 10.0)
    plain = step_ratios(signal, None, step, 200)
    ratio = step_ratios(signal, intensity, step, 200)
    before = np.std(plain.value / (truth * 1000) - 1)
    after = np.std(ratio.value / truth - 1)
    assert before > 0.05
    assert after < 0.05 * before


def test_errors_of_ratios_hold_the_truth() -> None:
    rng = np.random.default_rng(62)
    signal, intensity, step, truth = shots(rng, 400, 20, 100.0)
    ratio = step_ratios(signal, intensity, step, 400)
    assert np.std((ratio.value - truth) / ratio.error) == pytest.approx(1, abs=0.12)


def test_without_a_denominator_it_is_mean_and_standard_error() -> None:
    values = np.array([3.0, 5.0, math.nan, 4.0, 7.0])
    found = step_ratios(values, None, np.array([0, 0, 0, 0, 2]), 3)
    np.testing.assert_allclose(found.value, [4.0, math.nan, 7.0])
    np.testing.assert_allclose(found.error, [1 / math.sqrt(3), math.nan, math.nan])
    assert found.n.tolist() == [3, 0, 1]
    assert found.left_out.tolist() == [0, 0, 0]


def test_shots_without_a_denominator_are_left_out_and_counted() -> None:
    over = np.array([2.0, 0.0, -1.0, math.nan, 4.0, math.inf])
    values = np.array([4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
    found = step_ratios(values, over, np.array([0, 0, 0, 0, 0, -1]), 1)
    assert found.value.tolist() == [2.0]
    assert found.n.tolist() == [2]
    assert found.left_out.tolist() == [3]
    np.testing.assert_array_equal(
        shot_ratios(values, over), [2.0, math.nan, math.nan, math.nan, 2.0, math.nan]
    )


def test_no_steps_and_no_shots_are_no_error() -> None:
    nothing = np.empty(0)
    assert len(step_ratios(nothing, nothing, np.empty(0, int), 0).value) == 0
    assert np.isnan(step_ratios(nothing, None, np.empty(0, int), 2).value).all()
    assert np.isnan(step_ratios(np.ones(2), None, np.full(2, -1), 2).value).all()


def test_a_background_is_subtracted_by_area() -> None:
    found = subtract_sum(np.array([100.0, 50.0]), np.array([10.0, 10.0]), np.array([2.0, math.nan]))
    np.testing.assert_array_equal(found, [80.0, math.nan])
