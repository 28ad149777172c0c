"""The mean of one motor step, from all its frames or from one frame more."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StepMean:
    """Statistics of one ROI over the frames of one motor step."""

    mean: float
    error: float
    """Standard error, ``std(ddof=1) / sqrt(n)``; NaN for one frame."""
    n: int


def step_mean(values: NDArray[np.float64]) -> StepMean:
    """Average the frames of one step.

    Args:
        values: ``(frame,)``; NaN: not seen.

    Returns:
        Mean, standard error and number of the values that are not NaN.
    """
    seen = values[~np.isnan(values)]
    if not len(seen):
        return StepMean(math.nan, math.nan, 0)
    error = float(np.std(seen, ddof=1)) / math.sqrt(len(seen)) if len(seen) > 1 else math.nan
    return StepMean(float(np.mean(seen)), error, len(seen))


def with_another(step: StepMean, value: float) -> StepMean:
    """Return the statistics of a step that has one frame more.

    Args:
        step: of the frames so far.
        value: of the frame; NaN: not seen.

    Source:
        Welford, Technometrics 4 (1962) 419: mean and sum of squares, one value after the other.
    """
    if math.isnan(value):
        return step
    if not step.n:
        return StepMean(value, math.nan, 1)
    n = step.n + 1
    squares = step.error**2 * step.n * (step.n - 1) if step.n > 1 else 0.0
    mean = step.mean + (value - step.mean) / n
    squares += (value - step.mean) * (value - mean)
    return StepMean(mean, math.sqrt(squares / (n - 1) / n), n)
