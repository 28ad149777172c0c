"""Photon counting frames: add them up without the pixels that the detector masks itself."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.frames.pixel_bits import PIXELS, filled_and_counting, lowest_bit

_MANY = 1 << 14
"""So many positive pixels are kept before they are added to a sum."""


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

    A detector masks the same pixels in each frame, and most others are 0. So 64 pixels at a time
    are compared with what is expected; the values of the few others are kept until there are many,
    so that the processor fetches many of their sums at once.

    Args:
        total: ``(ny, nx)`` sum that is added to.
        masked: `pipeline.frames.pixel_bits.words_of` the pixels that are expected to be masked.
        odd: ``(ny, nx)`` int, one more where the frame is masked and was not expected to be, or the
            other way round.
        image: ``(ny, nx)`` of any number dtype.

    Returns:
        How many pixels of the frame are odd.
    """
    sums, values, odds = total.reshape(-1), image.reshape(-1), odd.reshape(-1)
    where = np.empty(_MANY + PIXELS, np.int64)
    what = np.empty(_MANY + PIXELS, image.dtype)
    whole = values.size // PIXELS
    rest = np.zeros(PIXELS, image.dtype)
    rest[: values.size - whole * PIXELS] = values[whole * PIXELS :]
    inside = (np.uint64(1) << np.uint64(values.size - whole * PIXELS)) - np.uint64(1)
    one = np.uint64(1)
    found, found_odd = 0, 0
    for word in range(masked.size):
        first = word * PIXELS
        if word < whole:
            filled, counting = filled_and_counting(values, first)
            unexpected = ~(counting ^ masked[word])
        else:
            filled, counting = filled_and_counting(rest, 0)
            unexpected = ~(counting ^ masked[word]) & inside
        filled &= counting
        while filled != 0:
            pixel = first + lowest_bit(filled)
            where[found], what[found] = pixel, values[pixel]
            found += 1
            filled &= filled - one
        while unexpected != 0:
            odds[first + lowest_bit(unexpected)] += 1
            found_odd += 1
            unexpected &= unexpected - one
        if found > _MANY or word == masked.size - 1:
            for i in range(found):
                sums[where[i]] += what[i]
            found = 0
    return found_odd
