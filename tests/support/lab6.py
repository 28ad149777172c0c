"""Are the lines of LaB6 where they should be in an integrated curve?"""

import itertools

import numpy as np

CELL = 4.1569
"""Lattice constant [Å]."""
GEOMETRY = {
    "photon_energy": 13.5,
    "distance": 0.131,
    "beam_x": 210.0,
    "beam_y": 373.0,
    "tilt": 0.0,
    "rotation": 0.0,
}
"""Of the LaB6 recordings, by parameter name."""

_PEAK = 0.03
"""Bins closer to a line than this belong to it [1/Å]."""
_BACKGROUND = (0.05, 0.12)
"""Bins whose distance to a line lies between these are its background [1/Å]."""


def lines(cell: float = CELL, number: int = 16) -> np.ndarray:
    """Return q [1/Å] of the first lines of a primitive cubic lattice."""
    squares = sorted({h * h + k * k + m * m for h, k, m in itertools.product(range(8), repeat=3)})
    return 2 * np.pi / cell * np.sqrt(squares[1 : number + 1])


def standing_out(
    q: np.ndarray, intensity: np.ndarray, errors: np.ndarray, cell: float = CELL
) -> int:
    """Count the first 16 lines whose mean is 4 standard errors above that of their surroundings."""
    return sum(_significance(q, intensity, errors, line) > 4.0 for line in lines(cell))


def _significance(q: np.ndarray, intensity: np.ndarray, errors: np.ndarray, line: float) -> float:
    away = np.abs(q - line)
    valid = np.isfinite(intensity) & np.isfinite(errors)
    peak = valid & (away <= _PEAK)
    beside = valid & (away >= _BACKGROUND[0]) & (away <= _BACKGROUND[1])
    if not peak.any() or not beside.any():
        return -np.inf
    error = np.hypot(_error_of_mean(errors[peak]), _error_of_mean(errors[beside]))
    return float((intensity[peak].mean() - intensity[beside].mean()) / error)


def _error_of_mean(errors: np.ndarray) -> float:
    return float(np.sqrt(np.sum(errors**2)) / len(errors))
