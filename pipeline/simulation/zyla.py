"""Simulated Zyla frames: readout noise, and one Bragg spot that moves with the motor."""

from collections.abc import Iterable, Iterator
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from pipeline.model.cameras import CAMERAS
from pipeline.simulation.pilatus import brightness

PEAK = (900.0, 1200.0)
"""``(y, x)`` of the Bragg spot at position 1.5 [pixel]."""
_MOVES = (-4.0, 10.0)
"""How far it moves along y and x when the motor moves by 1 [pixel]."""
_PEAK_HEIGHT = 1500.0
_PEAK_SIGMA = 9.0
_PEAK_REACH = 40
_BACKGROUND = 100.0
_NOISE = 3.0
_POOL_ROWS = 64


def spot_place(position: float) -> tuple[float, float]:
    """Return where the Bragg spot is at a motor position, ``(y, x)`` [pixel]."""
    moved = position - 1.5
    return PEAK[0] + _MOVES[0] * moved, PEAK[1] + _MOVES[1] * moved


def stream_zyla_frames(
    rng: np.random.Generator, positions: Iterable[float], strengths: Iterable[float] | None = None
) -> Iterator[NDArray[np.uint16]]:
    """Simulate frames; the spot's height follows `brightness`, its place `spot_place`.

    The noise comes from one pool that each frame reads from another row.

    Args:
        rng: source of the noise.
        positions: motor position at each frame.
        strengths: of each shot, 1 is the average; None: all are average.

    Yields:
        ``(2048, 2048) uint16`` [ADU raw].
    """
    rows, columns = CAMERAS["andor3_zyla10"].shape
    pool = rng.normal(_BACKGROUND, _NOISE, (rows + _POOL_ROWS, columns))
    pool = np.clip(np.rint(pool), 0, 65535).astype(np.uint16)
    steps = np.arange(-_PEAK_REACH, _PEAK_REACH + 1)
    for position, strength in zip(positions, strengths or repeat(1.0), strict=False):
        start = int(rng.integers(0, _POOL_ROWS + 1))
        frame = pool[start : start + rows].copy()
        at = spot_place(position)
        y, x = (round(place) for place in at)
        in_y, in_x = (
            np.exp(-(((steps + round(place) - place) / _PEAK_SIGMA) ** 2) / 2) for place in at
        )
        height = _PEAK_HEIGHT * brightness(position) * strength
        light = rng.poisson(height * in_y[:, None] * in_x[None, :]).astype(np.uint16)
        near = (
            slice(y - _PEAK_REACH, y + _PEAK_REACH + 1),
            slice(x - _PEAK_REACH, x + _PEAK_REACH + 1),
        )
        frame[near] += light
        yield frame
