"""CMOS frames: subtract the background, zero what is not above the threshold."""

import math
from typing import Any

import numba
import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from pipeline.frames.read_only import read_only

_BLOCK = 128
"""Pixels that are looked at together."""


def background_as(image_dtype: np.dtype[Any], background: float) -> int | float:
    """Return a whole background as int for integer images, so that sums stay exact integers."""
    if image_dtype.kind in "iu" and float(background).is_integer():
        return int(background)
    return float(background)


def subtract_and_threshold(
    image: NDArray[Any], background: float | NDArray[Any], threshold: float
) -> NDArray[Any]:
    """Subtract the background and zero every pixel that is not above the threshold.

    Args:
        image: ``(ny, nx)`` any integer or float [ADU raw].
        background: dark level, the same for all pixels, or ``(ny, nx)`` as
            `pipeline.frames.levels.level_for_sums` returns it [ADU raw].
        threshold: pixels must be above it [ADU].

    Returns:
        ``(ny, nx)`` [ADU]; of the image's dtype when the background is whole, else a float that
        holds the difference exactly.
    """
    level = background
    if isinstance(level, np.ndarray):
        dtype = image.dtype if level.dtype.kind == "i" else np.result_type(image, level)
    else:
        level = background_as(image.dtype, level)
        dtype = image.dtype if isinstance(level, int) else np.dtype(np.float64)
    out = np.zeros(image.shape, dtype)
    _add_above(out, read_only(image), level, float(threshold))
    return out


def add_cmos(
    total: NDArray[Any], image: NDArray[Any], background: float | NDArray[Any], threshold: float
) -> None:
    """Add one raw frame to a sum, background and threshold applied, in one pass.

    Args:
        total: ``(ny, nx)`` sum that is added to, of `sum_dtype`.
        image: as in `subtract_and_threshold`.
        background: as in `subtract_and_threshold`.
        threshold: as in `subtract_and_threshold`.
    """
    image = read_only(image)
    if isinstance(background, np.ndarray):
        _add_above(total, image, background, float(threshold))
        return
    level = background_as(image.dtype, background)
    limit = _whole_limit(image.dtype, level, threshold)
    if limit is None:
        _add_above(total, image, level, float(threshold))
    else:
        _add_above_limit(total, image, level, limit)


def _whole_limit(
    dtype: np.dtype[Any], level: int | float, threshold: float
) -> np.integer[Any] | None:
    """Return the largest pixel that is not above the threshold.

    None: all pixels are above it, or they and the level are no whole numbers of at most 32 bits.
    """
    if dtype.kind not in "iu" or dtype.itemsize > 4 or not isinstance(level, int):
        return None
    limit, range_ = math.floor(level + threshold), np.iinfo(dtype)
    return dtype.type(min(limit, range_.max)) if limit >= range_.min else None


def _part(level: Any, y: int, start: int, stop: int) -> Any:
    """Return a part of a row of the level, or the level of all pixels."""
    return level[y, start:stop] if isinstance(level, np.ndarray) else level


@overload(_part, inline="always")
def _part_compiled(level, y, start, stop):  # type: ignore[no-untyped-def]
    if isinstance(level, numba.types.Array):
        return lambda level, y, start, stop: level[y, start:stop]
    return lambda level, y, start, stop: level


def _at(level: Any, i: int) -> Any:
    """Return the level of one pixel of a part of a row."""
    return level[i] if isinstance(level, np.ndarray) else level


@overload(_at, inline="always")
def _at_compiled(level, i):  # type: ignore[no-untyped-def]
    if isinstance(level, numba.types.Array):
        return lambda level, i: level[i]
    return lambda level, i: level


@numba.njit(nogil=True, cache=True)
def _add_above(total, image, level, threshold):  # type: ignore[no-untyped-def]
    # Few pixels of most frames are above: where none is, the sum is not touched.
    ny, nx = image.shape
    for y in range(ny):
        for start in range(0, nx, _BLOCK):
            stop = min(start + _BLOCK, nx)
            pixels, levels = image[y, start:stop], _part(level, y, start, stop)
            some = False
            for i in range(pixels.size):
                some |= pixels[i] - _at(levels, i) > threshold
            if some:
                sums = total[y, start:stop]
                for i in range(pixels.size):
                    value = pixels[i] - _at(levels, i)
                    if value > threshold:
                        sums[i] += value


@numba.njit(nogil=True, cache=True)
def _reaches_above(pixels, limit):  # type: ignore[no-untyped-def]
    # Pixels and limit of one type are compared several times as fast as differences.
    largest = limit
    for i in range(pixels.size):
        largest = max(largest, pixels[i])
    return largest > limit


@numba.njit(nogil=True, cache=True)
def _add_above_limit(total, image, level, limit):  # type: ignore[no-untyped-def]
    # As `_add_above`; whole rows are looked at first, twice as fast as one block after the other.
    ny, nx = image.shape
    for y in range(ny):
        if not _reaches_above(image[y], limit):
            continue
        for start in range(0, nx, _BLOCK):
            stop = min(start + _BLOCK, nx)
            pixels = image[y, start:stop]
            if _reaches_above(pixels, limit):
                sums = total[y, start:stop]
                for i in range(pixels.size):
                    if pixels[i] > limit:
                        sums[i] += pixels[i] - level


def sum_dtype(image: np.dtype[Any], background: float = 0.0) -> np.dtype[Any]:
    """Return the dtype in which frames of a dtype add up exactly.

    Args:
        image: dtype of the raw frames.
        background: what is subtracted from them; a fraction makes the sum a float.
    """
    if image.kind == "f" or isinstance(background_as(image, background), float):
        return np.dtype(np.float64)
    return np.dtype(np.uint32 if image.itemsize <= 2 else np.int64)
