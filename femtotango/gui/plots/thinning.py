"""Few enough points to draw."""

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 2000
"""More points than the screen has columns only cost time."""

Array = NDArray[np.float64]


def thinned(x: Array, y: Array, errors: Array | None = None) -> tuple[Array, Array, Array | None]:
    """Return few enough points to draw: means of neighbours, when there are too many.

    Args:
        x: ``(n,)`` positions.
        y: ``(n,)`` values, NaN where there is none.
        errors: ``(n,)`` standard errors.

    Returns:
        Positions, values, and standard errors of those values.
    """
    step = -(-len(x) // MOST_POINTS)
    if step <= 1:
        return x, y, errors
    starts = np.arange(0, len(x), step)
    good = np.isfinite(y)
    number = np.add.reduceat(good, starts)
    wide = np.maximum(np.add.reduceat(np.ones(len(x)), starts), 1)
    value = np.add.reduceat(np.where(good, y, 0), starts)
    value = np.divide(value, number, out=np.full(len(starts), np.nan), where=number > 0)
    if errors is not None:
        squares = np.add.reduceat(np.where(good & np.isfinite(errors), errors, 0) ** 2, starts)
        errors = np.sqrt(squares) / np.maximum(number, 1)
    return np.add.reduceat(x, starts) / wide, value, errors
