"""Images that are zero but for a few pixels: take these out."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_PART = 1 << 12
"""Pixels whose flags stay in the processor's nearest cache."""


@numba.njit(nogil=True, cache=True)
def _list_filled(flat, index):  # type: ignore[no-untyped-def]
    """Write the places of all pixels that are not 0; return their number, more when too many."""
    zero = flat.dtype.type(0)
    filled = np.zeros(_PART, np.uint8)
    eights = filled.view(np.uint64)
    found = 0
    for start in range(0, flat.size, _PART):
        part = flat[start : start + _PART]
        if found > index.size - _PART - 8:
            return flat.size
        filled[part.size :] = 0
        for i in range(part.size):
            filled[i] = part[i] != zero
        for eight in range(eights.size):
            if eights[eight] != 0:
                for i in range(8 * eight, 8 * eight + 8):
                    index[found] = start + i
                    found += filled[i]
    return found


@numba.njit(nogil=True, cache=True)
def _take_out(flat, index, value):  # type: ignore[no-untyped-def]
    for i in range(index.size):
        value[i] = flat[index[i]]
        flat[index[i]] = 0


def take_filled(image: NDArray[Any], at_most: int) -> tuple[NDArray[np.int32], NDArray[Any]] | None:
    """Take the pixels that are not 0 out of an image, which is 0 everywhere afterwards.

    Args:
        image: ``(ny, nx)`` of any number dtype, C contiguous.
        at_most: so many pixels.

    Returns:
        Flat pixel numbers, ascending, and the values there; None: they are more, and all is as it
        was.
    """
    flat = image.reshape(-1)
    index = np.empty(at_most + _PART + 9, np.int32)
    found = int(_list_filled(flat, index))
    if found > at_most:
        return None
    index = index[:found].copy()
    value = np.empty(found, image.dtype)
    _take_out(flat, index, value)
    return index, value
