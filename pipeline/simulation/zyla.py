"""Simulated Zyla frames: readout noise and one Bragg peak."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.model.cameras import CAMERAS
from pipeline.simulation.pilatus import brightness

PEAK = (900, 1200)
"""``(y, x)`` of the Bragg peak [pixel]."""
_PEAK_HEIGHT = 1500.0
_PEAK_SIGMA = 9.0
_PEAK_REACH = 40
_BACKGROUND = 100.0
_NOISE = 3.0
_POOL_ROWS = 64


def stream_zyla_frames(
    rng: np.random.Generator, positions: Iterable[float]
) -> Iterator[NDArray[np.uint16]]:
    """Simulate frames; the peak's height follows `brightness`.

    The noise comes from one pool that each frame reads from another row.

    Args:
        rng: source of the noise.
        positions: motor position at each frame.

    Yields:
        ``(2048, 2048) uint16`` [ADU raw].
    """
    rows, columns = CAMERAS["andor3_zyla10"].shape
    pool = rng.normal(_BACKGROUND, _NOISE, (rows + _POOL_ROWS, columns))
    pool = np.clip(np.rint(pool), 0, 65535).astype(np.uint16)
    steps = np.arange(-_PEAK_REACH, _PEAK_REACH + 1)
    profile = np.exp(-((steps / _PEAK_SIGMA) ** 2) / 2)
    peak = _PEAK_HEIGHT * profile[:, None] * profile[None, :]
    y, x = PEAK[0] - _PEAK_REACH, PEAK[1] - _PEAK_REACH
    for position in positions:
        start = int(rng.integers(0, _POOL_ROWS + 1))
        frame = pool[start : start + rows].copy()
        light = rng.poisson(peak * brightness(position)).astype(np.uint16)
        frame[y : y + len(steps), x : x + len(steps)] += light
        yield frame
