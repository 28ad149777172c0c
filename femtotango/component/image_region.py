"""A rectangle of the image: what GetRegion is asked for, and its answer as bytes; pure."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.errors import BadRequest

MAX_BINNING = 4096


@dataclass(frozen=True)
class Region:
    """Rows and columns with bounds inside of the image, and how many pixels make a block."""

    y: slice
    x: slice
    binning: int


def parse_region(numbers: Sequence[int], shape: tuple[int, int]) -> Region:
    """Read the argument of GetRegion and cut it to the image.

    Args:
        numbers: x, y, width, height, binning [pixel].
        shape: ``(ny, nx)`` of the image.

    Raises:
        BadRequest: not five numbers, an impossible one, or the region is outside of the image.
    """
    if len(numbers) != 5:
        raise BadRequest(f"{len(numbers)} numbers given: expected [x, y, width, height, binning].")
    x, y, width, height, binning = (int(n) for n in numbers)
    if width < 1 or height < 1:
        raise BadRequest(f"width {width} and height {height} must be at least 1 pixel.")
    if not 1 <= binning <= MAX_BINNING:
        raise BadRequest(f"binning = {binning}: expected 1 … {MAX_BINNING} pixels.")
    y0, y1 = max(0, y), min(shape[0], y + height)
    x0, x1 = max(0, x), min(shape[1], x + width)
    if y0 >= y1 or x0 >= x1:
        raise BadRequest(
            f"The region x {x}, y {y}, {width}x{height} is outside of the image, which is "
            f"{shape[1]} wide and {shape[0]} high."
        )
    return Region(slice(y0, y1), slice(x0, x1), binning)


def as_npy(array: NDArray[Any]) -> bytes:
    """Return the array as the bytes of a ``.npy`` file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
