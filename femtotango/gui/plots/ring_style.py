"""How rings are drawn, and which parts of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EDGE = 0.04
"""Of the image's size: so far inside of its edge a ring is outside of the data."""


@dataclass(frozen=True)
class RingStyle:
    """What the user chose."""

    visible: bool = True
    thin: bool = False
    labels: bool = False
    outside: bool = False
    """Only where no data are: on masked pixels, such as gaps, and at the edge of the image."""


def outside_of_data(
    points: NDArray[np.float64],
    blocks: NDArray[np.float32],
    binning: int,
    shape: tuple[int, int],
) -> NDArray[np.bool_]:
    """Tell which points of a ring are outside of the data.

    Args:
        points: ``(n, 2)`` y and x [pixel]; NaN between two pieces.
        blocks: preview of the image, NaN where masked.
        binning: pixels per block and side.
        shape: ``(ny, nx)`` of the image.

    Returns:
        ``(n,)``; false at NaN.
    """
    known = np.asarray(np.isfinite(points).all(axis=1))
    place = np.where(known[:, None], points, 0.0)
    edge = _EDGE * min(shape)
    inside = (place >= edge - 0.5) & (place <= np.array(shape) - 0.5 - edge)
    index = np.floor((place + 0.5) / binning).astype(int)
    index = np.clip(index, 0, np.array(blocks.shape) - 1)
    masked = np.isnan(blocks[index[:, 0], index[:, 1]])
    return known & (masked | ~inside.all(axis=1))


def pieces(points: NDArray[np.float64], drawn: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Cut a ring into lines of at least two points.

    Args:
        points: ``(n, 2)`` y and x; NaN between two pieces.
        drawn: ``(n,)`` which of them are drawn.
    """
    drawn = drawn & np.isfinite(points).all(axis=1)
    borders = np.flatnonzero(np.diff(drawn.astype(np.int8))) + 1
    parts = zip(np.split(points, borders), np.split(drawn, borders), strict=True)
    return [part for part, shown in parts if len(part) > 1 and shown[0]]
