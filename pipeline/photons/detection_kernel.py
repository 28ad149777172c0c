"""The compiled part of photon finding; what it finds is defined in `pipeline.photons.detection`."""

from typing import Any

import numba
import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from pipeline.frames.pixel_bits import PIXELS, at_least, left_at_least, lowest_bit
from pipeline.protocols.batch import AT_BORDER, OVERLAPS, PILED_UP

_REACH = 2
"""Nine pixels overlap nine others when their centres are at most so far apart [pixel]."""


def _left(pixel: Any, level: Any) -> Any:
    """Return what is left of a pixel above its dark level, as `frames.levels.subtracted` does."""
    return (pixel if isinstance(pixel, np.float64) else np.float32(pixel)) - level


@overload(_left, inline="always")
def _left_compiled(pixel, level):
    if pixel == numba.types.float64:
        return lambda pixel, level: pixel - np.float64(level)
    return lambda pixel, level: np.float32(pixel) - level


def _signal(image: NDArray, level: Any, background: float, y: int, x: int) -> float:
    """Return what is left of a pixel above the background, or above its own dark level."""
    pixel = image[y, x]
    return np.float64(pixel) - background if level is None else _left(pixel, level[y, x])


@overload(_signal, inline="always")
def _signal_compiled(image, level, background, y, x):
    if isinstance(level, numba.types.NoneType):
        return lambda image, level, background, y, x: np.float64(image[y, x]) - background
    return lambda image, level, background, y, x: np.float64(_left(image[y, x], level[y, x]))


def _part(level: Any, y: int, start: int, stop: int) -> Any:
    """Return a part of a row of the level; None without one."""
    return None if level is None else level[y, start:stop]


@overload(_part, inline="always")
def _part_compiled(level, y, start, stop):
    if isinstance(level, numba.types.NoneType):
        return lambda level, y, start, stop: None
    return lambda level, y, start, stop: level[y, start:stop]


def _is_above(pixels: NDArray, level: Any, i: int, first: Any) -> bool:
    """Tell whether a pixel, or what is left of it above its level, is at least `first`."""
    return bool((pixels[i] if level is None else _left(pixels[i], level[i])) >= first)


@overload(_is_above, inline="always")
def _is_above_compiled(pixels, level, i, first):
    if isinstance(level, numba.types.NoneType):
        return lambda pixels, level, i, first: pixels[i] >= first
    return lambda pixels, level, i, first: _left(pixels[i], level[i]) >= first


def _reaches(pixels: NDArray, level: Any, first: Any) -> bool:
    """Tell whether any of these pixels is at least `first`."""
    return any(_is_above(pixels, level, i, first) for i in range(pixels.size))


@overload(_reaches)
def _reaches_compiled(pixels, level, first):
    # Of the two ways that the compiler turns into vector instructions, integers know the faster.
    without = isinstance(level, numba.types.NoneType)
    if without and isinstance(pixels.dtype, numba.types.Integer):

        def largest(pixels, level, first):
            m = pixels[0]
            for i in range(pixels.size):
                m = max(m, pixels[i])
            return m >= first

        return largest

    def any_of_them(pixels, level, first):
        found = False
        for i in range(pixels.size):
            found |= _is_above(pixels, level, i, first)
        return found

    return any_of_them


@numba.njit(cache=True, nogil=True)
def _count_from(pixels, level, first):
    n = 0
    for i in range(pixels.size):
        n += _is_above(pixels, level, i, first)
    return n


def _above(row: NDArray, level: Any, start: int, first: Any) -> int:
    """Return which of 64 pixels of a row are at least `first`, as the bits of a word."""
    return sum(_is_above(row, level, start + i, first) << i for i in range(PIXELS))


@overload(_above, inline="always")
def _above_compiled(row, level, start, first):
    if isinstance(level, numba.types.NoneType):
        return lambda row, level, start, first: at_least(row, start, first)
    return lambda row, level, start, first: left_at_least(row, level, start, first)


@numba.njit(cache=True, nogil=True)
def _pixels_from(row, level, x_start, x_stop, first, found):
    """List the pixels of a row from `first` up; return how many."""
    n = 0
    whole = x_start + (x_stop - x_start) // PIXELS * PIXELS
    for start in range(x_start, whole, PIXELS):
        bits = _above(row, level, start, first)
        while bits != 0:
            found[n] = start + lowest_bit(bits)
            n += 1
            bits &= bits - np.uint64(1)
    for x in range(whole, x_stop):
        if _is_above(row, level, x, first):
            found[n] = x
            n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _hit(image, level, y, x, background, energy_threshold, hot_pixel_ratio):
    """Return energy, y and x of the hit at an inner pixel; energy NaN when there is none."""
    c = _signal(image, level, background, y, x)
    a0 = _signal(image, level, background, y - 1, x - 1)
    a1 = _signal(image, level, background, y - 1, x)
    a2 = _signal(image, level, background, y - 1, x + 1)
    b0 = _signal(image, level, background, y, x - 1)
    b2 = _signal(image, level, background, y, x + 1)
    d0 = _signal(image, level, background, y + 1, x - 1)
    d1 = _signal(image, level, background, y + 1, x)
    d2 = _signal(image, level, background, y + 1, x + 1)
    after = (c > a0) & (c > a1) & (c > a2) & (c > b0)
    if not (after & (c >= b2) & (c >= d0) & (c >= d1) & (c >= d2)):
        return np.nan, np.nan, np.nan
    energy = a0 + a1 + a2 + b0 + c + b2 + d0 + d1 + d2
    if not energy > energy_threshold or not np.isfinite(energy):
        return np.nan, np.nan, np.nan
    if hot_pixel_ratio < 1 and c / energy > hot_pixel_ratio:
        return np.nan, np.nan, np.nan
    return (
        energy,
        y + ((d0 + d1 + d2) - (a0 + a1 + a2)) / energy,
        x + ((a2 + b2 + d2) - (a0 + b0 + d0)) / energy,
    )


@numba.njit(cache=True, nogil=True)
def scan(
    image,
    level,
    y_start,
    y_stop,
    x_start,
    x_stop,
    first,
    background,
    energy_threshold,
    hot_pixel_ratio,
    most,
):
    """Count the pixels of a region from `first` up, and list its hits.

    Args:
        image: ``(ny, nx)``, C-contiguous.
        level: ``(ny, nx) float32`` dark level of each pixel in the place of the background,
            infinite where a pixel is masked [ADU raw]; None: there is none.
        y_start: first row of the region [pixel].
        y_stop: the row behind its last.
        x_start: its first column.
        x_stop: the column behind its last.
        first: smallest raw value above the photon threshold, of the image's type; with a level,
            what is left above it, float32 (of float64 pixels float64).
        background: dark level [ADU raw].
        energy_threshold: photons have a 3×3 sum above it [ADU].
        hot_pixel_ratio: hottest pixel / 3×3 sum of a photon is not above it; 1: no limit.
        most: with more pixels than this, no hits are looked for any more.

    Returns:
        The number of pixels from `first` up, and ``(n, 4) float64`` y, x [pixel], energy [ADU] and
        flat pixel number of the hits, in reading order.
    """
    ny, nx = image.shape
    here = np.empty(x_stop - x_start, np.int64)
    before = np.empty(x_stop - x_start, np.int64)
    found = np.empty((256, 4), np.float64)
    hits = 0
    above = 0
    n_before = 0
    # Hits are looked for one row late, when the row below them is in the processor's cache.
    for y in range(y_start, y_stop + 1):
        n = 0
        if y < y_stop:
            if above > most:
                above += _count_from(
                    image[y, x_start:x_stop], _part(level, y, x_start, x_stop), first
                )
                continue
            # Most rows of a sparse image have none; below a row that has some, most have some too.
            if n_before > 0 or _reaches(
                image[y, x_start:x_stop], _part(level, y, x_start, x_stop), first
            ):
                levels = _part(level, y, 0, nx)
                n = _pixels_from(image[y], levels, x_start, x_stop, first, here)
                above += n
        if 1 < y < ny:
            for k in range(n_before):
                x = before[k]
                if x == 0 or x == nx - 1:
                    continue
                energy, at_y, at_x = _hit(
                    image, level, y - 1, x, background, energy_threshold, hot_pixel_ratio
                )
                if np.isnan(energy):
                    continue
                if hits == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[hits] = at_y, at_x, energy, float((y - 1) * nx + x)
                hits += 1
        here, before = before, here
        n_before = n
    return above, found[:hits]


@numba.njit(cache=True, nogil=True)
def flag(hits, nx, y_start, y_stop, x_start, x_stop, pileup_threshold):
    """Say of each hit whether it overlaps another one, is piled up, or touches the border.

    Args:
        hits: ``(n, 4)`` as `scan` returns them.
        nx: width of the image [pixel].
        y_start: first row of the region [pixel].
        y_stop: the row behind its last.
        x_start: its first column.
        x_stop: the column behind its last.
        pileup_threshold: photons with an energy above it are piled up [ADU].

    Returns:
        ``(n,) uint8``, a sum of `OVERLAPS`, `PILED_UP` and `AT_BORDER`.
    """
    flags = np.zeros(len(hits), np.uint8)
    pixels = np.empty(len(hits), np.int64)
    row = y_start
    # Hits before it are out of reach, also for all hits to come: in the row above, and the next.
    near = far = 0
    for i in range(len(hits)):
        pixel = pixels[i] = np.int64(hits[i, 3])
        while pixel >= (row + 1) * nx:
            row += 1
        column = pixel - row * nx
        if min(row - y_start, y_stop - 1 - row, column - x_start, x_stop - 1 - column) <= 1:
            flags[i] |= AT_BORDER
        if hits[i, 2] > pileup_threshold:
            flags[i] |= PILED_UP
        # No hit is in the outermost columns, so that what is in reach does not wrap around.
        if i > 0 and pixels[i - 1] >= pixel - _REACH:
            flags[i - 1] |= OVERLAPS
            flags[i] |= OVERLAPS
        near = _flag_overlaps(pixels, flags, i, near, pixel - nx)
        far = _flag_overlaps(pixels, flags, i, far, pixel - 2 * nx)
    return flags


@numba.njit(inline="always")
def _flag_overlaps(pixels, flags, i, k, centre):
    while pixels[k] < centre - _REACH:
        k += 1
    other = k
    while pixels[other] <= centre + _REACH:
        flags[other] |= OVERLAPS
        flags[i] |= OVERLAPS
        other += 1
    return k


def first_above(dtype: np.dtype, background: float, threshold: float):
    """Return the smallest raw value whose difference to the background is above the threshold.

    Comparing raw pixels with it gives exactly what ``float64(raw) - background > threshold`` gives.

    Args:
        dtype: integer or float type of the image.
        background: dark level [ADU raw].
        threshold: in ADU above background.

    Returns:
        A scalar of that dtype, or None when no value of that type is above.
    """

    def is_above(value) -> bool:
        return float(value) - background > threshold

    if dtype.kind in "iu":
        low, high = int(np.iinfo(dtype).min) - 1, int(np.iinfo(dtype).max)
        if not is_above(high):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if is_above(middle) else (middle, high)
        return dtype.type(high)
    with np.errstate(over="ignore"):
        value = dtype.type(background + threshold)
        down, up = dtype.type(-np.inf), dtype.type(np.inf)
        while not is_above(value):
            value = np.nextafter(value, up)
        while value > down and is_above(np.nextafter(value, down)):
            value = np.nextafter(value, down)
    return value
