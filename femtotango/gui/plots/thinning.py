"""Reduce long curves to as many points as the screen can show."""

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 2000
"""A curve has at most this many points on the screen."""

Array = NDArray[np.float64]


def thinned(x: Array, y: Array, errors: Array | None = None) -> tuple[Array, Array, Array | None]:
    """Return the points to draw: means of neighbours where there are too many.

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
    valid = np.isfinite(y)
    number = np.add.reduceat(valid, starts)
    width = np.maximum(np.add.reduceat(np.ones(len(x)), starts), 1)
    value = np.add.reduceat(np.where(valid, y, 0), starts)
    value = np.divide(value, number, out=np.full(len(starts), np.nan), where=number > 0)
    if errors is not None:
        squares = np.add.reduceat(np.where(valid & np.isfinite(errors), errors, 0) ** 2, starts)
        errors = np.sqrt(squares) / np.maximum(number, 1)
    return np.add.reduceat(x, starts) / width, value, errors
