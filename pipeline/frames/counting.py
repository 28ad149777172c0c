"""Photon counting frames: add them up without the pixels that the detector masks itself."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_MANY = 1 << 14
"""So many positive pixels are collected before they are added to a sum."""


def is_masked(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return which pixels a photon counting frame masks itself: negative, NaN and infinite ones.

    Args:
        image: ``(ny, nx)`` of any number dtype.

    Returns:
        ``(ny, nx)``, 1 where it does, else 0.
    """
    return np.asarray(~((image >= 0) & (image < np.inf))).view(np.uint8)


@numba.njit(nogil=True, cache=True)
def add_counting(total, masked, odd, image):  # type: ignore[no-untyped-def]
    """Add one photon counting frame to a sum; negative, NaN and infinite pixels are left out.

    A detector masks the same pixels in each frame, and most others are 0: so the frame is compared
    with what it is without light. The few other pixels are looked for eight at a time and added all
    together, so that the processor fetches many of their sums at once.

    Args:
        total: ``(ny, nx)`` sum that is added to.
        masked: ``(ny, nx)`` uint8, 1 where frames are expected to be masked, else 0.
        odd: ``(ny, nx)`` int, one more where the frame is masked and was not expected to be, or the
            other way round.
        image: ``(ny, nx)`` of any number dtype.

    Returns:
        How many pixels of the frame are odd.
    """
    ny, nx = image.shape
    zero = image.dtype.type(0)  # another type would make each comparison one of float64
    one = np.uint8(1)
    sums, values = total.reshape(-1), image.reshape(-1)
    expected, odds = masked.reshape(-1), odd.reshape(-1)
    other = np.zeros((nx + 7) // 8 * 8, np.uint8)
    eights = other.view(np.uint64)
    where = np.empty(_MANY + nx + 8, np.int64)
    found, found_odd = 0, 0
    for y in range(ny):
        row, usual = image[y], masked[y]
        for x in range(nx):
            value = row[x]
            # A difference to itself that is not 0 has only what is infinite or no number.
            counts = (value >= zero) & (value - value == zero)
            other[x] = np.uint8(value != zero) | (np.uint8(counts) << one)
        for x in range(nx):
            bits = other[x]
            other[x] = (bits & (usual[x] ^ one)) | ((bits >> one) & usual[x])
        start = y * nx
        for eight in range(eights.size):
            if eights[eight] != 0:
                for x in range(8 * eight, 8 * eight + 8):
                    where[found] = start + x
                    found += other[x]
        if found > _MANY or y == ny - 1:
            for i in range(found):
                pixel = where[i]
                value = values[pixel]
                counts = (value >= zero) & (value - value == zero)
                if counts:
                    sums[pixel] += value
                if counts == (expected[pixel] != 0):
                    odds[pixel] += 1
                    found_odd += 1
            found = 0
    return found_odd
