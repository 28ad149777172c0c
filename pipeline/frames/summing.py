"""CMOS frames: subtract the background, zero what is not above the threshold."""

import math
from typing import Any

import numba
import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from pipeline.frames.read_only import read_only

_MANY = 1 << 14
"""So many positive pixels are collected before they are added to a sum."""

_BLOCK = 256
"""Pixels that are looked at together."""

_PART = 1 << 12
"""Pixels whose flags stay in the processor's nearest cache."""


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
def _add_above_limit(total, image, level, limit):  # type: ignore[no-untyped-def]
    # As `_add_above`; pixels and limit of one type are compared several times as fast.
    ny, nx = image.shape
    for y in range(ny):
        for start in range(0, nx, _BLOCK):
            stop = min(start + _BLOCK, nx)
            pixels, largest = image[y, start:stop], limit
            for i in range(pixels.size):
                largest = max(largest, pixels[i])
            if largest > limit:
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
