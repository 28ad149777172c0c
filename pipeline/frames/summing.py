"""CMOS frames: subtract the background, zero what is not above the threshold."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_MANY = 1 << 14
"""So many positive pixels are collected before they are added to a sum."""


def background_as(image_dtype: np.dtype[Any], background: float) -> int | float:
    """Return a whole background as int for integer images, so that sums stay exact integers."""
    if image_dtype.kind in "iu" and float(background).is_integer():
        return int(background)
    return float(background)


def subtract_and_threshold(
    image: NDArray[Any], background: float, threshold: float
) -> NDArray[Any]:
    """Subtract the background and zero every pixel that is not above the threshold.

    Args:
        image: ``(ny, nx)`` any integer or float [ADU raw].
        background: uniform dark level [ADU raw].
        threshold: pixels must be above it [ADU].

    Returns:
        ``(ny, nx)`` [ADU]; of the image's dtype when no value can be lost by that, else float64.
    """
    level = background_as(image.dtype, background)
    dtype = image.dtype if isinstance(level, int) else np.dtype(np.float64)
    out = np.zeros(image.shape, dtype)
    _subtract(image, level, float(threshold), out)
    return out


@numba.njit(nogil=True, cache=True)
def _subtract(image, background, threshold, out):  # type: ignore[no-untyped-def]
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = image[y, x] - background
            if value > threshold:
                out[y, x] = value


@numba.njit(nogil=True, cache=True)
def add_cmos(total, image, background, threshold):  # type: ignore[no-untyped-def]
    """Add one raw frame to a sum, background and threshold applied, in one pass."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = image[y, x] - background
            if value > threshold:
                total[y, x] += value


def subtract_level_and_threshold(
    image: NDArray[Any], level: NDArray[Any], threshold: float
) -> NDArray[Any]:
    """Subtract a dark level of each pixel and zero every pixel that is not above the threshold.

    Args:
        image: ``(ny, nx)`` any integer or float [ADU raw].
        level: ``(ny, nx)``, as `pipeline.frames.levels.level_for_sums` returns it [ADU raw].
        threshold: pixels must be above it [ADU].

    Returns:
        ``(ny, nx)`` [ADU]; of the image's dtype when the level is whole, else a float that holds
        the difference exactly.
    """
    exact = image.dtype if level.dtype.kind == "i" else np.result_type(image.dtype, level.dtype)
    out = np.zeros(image.shape, exact)
    _subtract_level(image, level, float(threshold), out)
    return out


@numba.njit(nogil=True, cache=True)
def _subtract_level(image, level, threshold, out):  # type: ignore[no-untyped-def]
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = image[y, x] - level[y, x]
            if value > threshold:
                out[y, x] = value


@numba.njit(nogil=True, cache=True)
def add_cmos_level(total, image, level, threshold):  # type: ignore[no-untyped-def]
    """Add one raw frame to a sum, a dark level of each pixel and the threshold applied."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = image[y, x] - level[y, x]
            if value > threshold:
                total[y, x] += value


def sum_dtype(image: np.dtype[Any], background: float = 0.0) -> np.dtype[Any]:
    """Return the dtype in which frames of a dtype add up exactly.

    Args:
        image: dtype of the raw frames.
        background: what is subtracted from them; a fraction makes the sum a float.
    """
    if image.kind == "f" or isinstance(background_as(image, background), float):
        return np.dtype(np.float64)
    return np.dtype(np.uint32 if image.itemsize <= 2 else np.int64)


@numba.njit(nogil=True, cache=True)
def add_counting(total, seen, image):  # type: ignore[no-untyped-def]
    """Add one photon counting frame to a sum; negative, NaN and infinite pixels are left out.

    Most pixels are 0, and their sums need not be touched: the few others are looked for eight at a
    time and added all together, so that the processor fetches many of their sums at once.

    Args:
        total: ``(ny, nx)`` sum that is added to.
        seen: ``(ny, nx)`` int, one more where the frame has a value.
        image: ``(ny, nx)`` of any number dtype.
    """
    ny, nx = image.shape
    sums, values = total.reshape(-1), image.reshape(-1)
    positive = np.zeros((nx + 7) // 8 * 8, np.uint8)
    eights = positive.view(np.uint64)
    where = np.empty(_MANY + nx, np.int64)
    found = 0
    for y in range(ny):
        for x in range(nx):
            value = image[y, x]
            seen[y, x] += value >= 0 and value < np.inf
        for x in range(nx):
            value = image[y, x]
            positive[x] = (value > 0) & (value < np.inf)
        for eight in range(eights.size):
            if eights[eight] != 0:
                for x in range(8 * eight, min(8 * eight + 8, nx)):
                    where[found] = y * nx + x
                    found += positive[x]
        if found > _MANY or y == ny - 1:
            for pixel in where[:found]:
                sums[pixel] += values[pixel]
            found = 0
