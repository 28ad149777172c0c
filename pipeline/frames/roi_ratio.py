"""ROIs compared with one another shot by shot: minus a background, over an intensity.

A step's ratio is the *ratio of sums*, Σ numerator / Σ denominator over its shots, not the mean of
the shots' ratios: a weak shot, whose ratio is mostly noise, counts as little as it should. Shots
whose denominator is missing or not above 0 are left out of both sums, and counted.

Its standard error is that of a ratio estimate, ``√(n / (n - 1) Σ (N - R D)²) / Σ D`` for numerator
N, denominator D and ratio R (Cochran, Sampling Techniques, 1977, 6.4). It is taken from the shots
themselves, so that what N and D have in common, the shot's intensity, is not taken for noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StepValues:
    """One value for each step, ``(step,)``."""

    value: Floats
    """NaN for a step without shots."""
    error: Floats
    """Standard error; NaN for one shot."""
    n: NDArray[np.int64]
    """Shots in it."""
    left_out: NDArray[np.int64]
    """Shots that had no usable denominator."""


def subtract_sum(total: Floats, pixels: Floats, background_mean: Floats) -> Floats:
    """Subtract a background from sums, weighted with the area.

    Args:
        total: ``(shot,)`` sums over the ROI.
        pixels: ``(shot,)`` valid pixels of the ROI.
        background_mean: ``(shot,)`` mean of the background's ROI.

    Returns:
        ``(shot,)``; NaN where one of them is.
    """
    return total - pixels * background_mean


def usable(denominator: Floats) -> NDArray[np.bool_]:
    """Return which shots have a denominator above 0."""
    return np.isfinite(denominator) & (denominator > 0)


def shot_ratios(numerator: Floats, denominator: Floats) -> Floats:
    """Divide shot by shot.

    Args:
        numerator: ``(shot,)``.
        denominator: ``(shot,)``.

    Returns:
        ``(shot,)``; NaN where the denominator is missing or not above 0.
    """
    use = usable(denominator)
    return np.where(use, numerator, np.nan) / np.where(use, denominator, 1.0)


def step_ratios(
    numerator: Floats, denominator: Floats | None, step: NDArray[np.int64], steps: int
) -> StepValues:
    """Divide the sums over the shots of each step.

    Args:
        numerator: ``(shot,)``; NaN: not seen.
        denominator: ``(shot,)``; None: 1 for each shot, which makes it the mean.
        step: ``(shot,)`` number of each shot's step; what is not 0 … steps - 1 belongs to none.
        steps: number of steps.
    """
    below = np.ones(len(numerator)) if denominator is None else denominator
    seen = np.isfinite(numerator) & (step >= 0) & (step < steps)
    use = seen & usable(below)

    def sums(values: Floats) -> Floats:
        found = np.bincount(step[use], weights=values[use], minlength=steps)
        return found[:steps].astype(np.float64)

    n = np.bincount(step[use], minlength=steps)[:steps]
    with np.errstate(divide="ignore", invalid="ignore"):
        total = sums(below)
        value = sums(numerator) / total
        ratio = value[np.clip(step, 0, max(steps - 1, 0))] if steps else np.zeros(len(step))
        off = np.where(use, numerator - ratio * below, 0.0)
        error = np.sqrt(n / (n - 1) * sums(off**2)) / total
    nothing = n == 0
    return StepValues(
        np.where(nothing, np.nan, value),
        np.where(n > 1, error, np.nan),
        n.astype(np.int64),
        np.bincount(step[seen & ~use], minlength=steps)[:steps].astype(np.int64),
    )
