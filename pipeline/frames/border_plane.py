"""The level around a spot: a plane fitted to the outermost pixels of a region of interest.

The ring is one pixel wide, up to four in a large ROI. Pixels that are off by more than 4 σ + 1 are
left out and the plane is fitted anew: they belong to the spot, or are hot. Of counts, one more than
expected is never an outlier.
"""

import math

import numba
import numpy as np

_CLIP_ROUNDS = 4
_CLIP = 4.0
_FEWEST = 6
PIXELS = 1 << 16
"""Values of 16 bits."""
_ROUNDING = 1e-6
"""Part of the largest border pixel that is never taken for signal."""


@numba.njit(nogil=True, cache=True)
def _ring_width(ny, nx):  # type: ignore[no-untyped-def]
    return min(max(min(ny, nx) // 10, 1), 4)


@numba.njit(nogil=True, cache=True)
def dense_border(image, background, counting):  # type: ignore[no-untyped-def]
    """Fit a plane to the border of a ROI.

    Args:
        image: ``(ny, nx)``, the ROI.
        background: is subtracted [ADU raw].
        counting: negative, NaN and infinite pixels are masked; otherwise the last two are.

    Returns:
        ``(3,)`` level at pixel (0, 0), slope along y and x; rms around it; number of pixels, 0:
        too few for a plane.
    """
    ny, nx = image.shape
    plane = np.zeros(3)
    if min(ny, nx) < 3:
        return plane, 0.0, 0
    wide = _ring_width(ny, nx)
    noise, used, size, ring_squares = 0.0, 0, 0.0, 0.0
    whole = not counting and is_whole(image, background)
    ring = np.zeros(9)
    if whole:
        ring_squares, size = _add_whole_ring(image, np.int64(background), wide, ring)
    for round_ in range(_CLIP_ROUNDS):
        most = np.inf if round_ == 0 else _CLIP * noise + 1
        sums = ring.copy()
        if not whole:
            squares, largest = _add_ring(image, background, counting, wide, plane, most, sums)
            size = max(size, largest)
        elif round_ == 0:
            squares = ring_squares
        else:
            squares = ring_squares - _take_out(image, background, wide, plane, most, sums)
        if sums[0] < _FEWEST:
            break
        same = used == int(sums[0])
        used = int(sums[0])
        noise = _solve_plane(sums, squares, plane)
        if same:
            break
    return plane, max(noise, _ROUNDING * size), used


@numba.njit(nogil=True, cache=True)
def is_whole(image, background):  # type: ignore[no-untyped-def]
    """Say whether all pixels of a ROI are whole numbers, of which a sum is exact in any order.

    Args:
        image: ``(ny, nx)``, the ROI.
        background: is subtracted [ADU raw].
    """
    return image.itemsize == 2 and background == np.floor(background) and abs(background) < PIXELS


@numba.njit(nogil=True, cache=True)
def _run(y, ny, nx, wide, second):  # type: ignore[no-untyped-def]
    """Return where a run of the ring's pixels in a row begins and ends; inner rows have two."""
    if not wide <= y < ny - wide:
        return 0, 0 if second else nx
    return (nx - wide, nx) if second else (0, wide)


@numba.njit(nogil=True, cache=True)
def _add_ring(image, background, counting, wide, plane, most, sums):  # type: ignore[no-untyped-def]
    """Add the pixels of the ring near a plane; return the sum of their squares and the largest."""
    ny, nx = image.shape
    squares, largest = 0.0, 0.0
    for y in range(ny):
        for second in range(2):
            first, last = _run(y, ny, nx, wide, second == 1)
            for x in range(first, last):
                value = np.float64(image[y, x]) - background
                usable = (value >= 0 or not counting) and abs(value) < np.inf
                off = abs(value - (plane[0] + plane[1] * y + plane[2] * x))
                if usable and off <= most:
                    _add_to_plane(sums, y, x, value)
                    squares += value * value
                    largest = max(largest, abs(value))
    return squares, largest


@numba.njit(nogil=True, cache=True)
def _add_whole_ring(image, background, wide, sums):  # type: ignore[no-untyped-def]
    """Add all pixels of the ring; return the sum of their squares and the largest."""
    ny, nx = image.shape
    squares, largest = np.int64(0), np.int64(0)
    for y in range(ny):
        for second in range(2):
            first, last = _run(y, ny, nx, wide, second == 1)
            total, moment = np.int64(0), np.int64(0)
            for x in range(first, last):
                value = np.int64(image[y, x]) - background
                total += value
                moment += value * x
                squares += value * value
                largest = max(largest, abs(value))
            n = last - first
            along = n * (first + last - 1) // 2
            sums[0] += n
            sums[1] += n * y
            sums[2] += along
            sums[3] += n * y * y
            sums[4] += _squares_below(last) - _squares_below(first)
            sums[5] += along * y
            sums[6] += total
            sums[7] += total * y
            sums[8] += moment
    return np.float64(squares), np.float64(largest)


@numba.njit(nogil=True, cache=True)
def _squares_below(n):  # type: ignore[no-untyped-def]
    """Return the sum of the squares of all whole numbers from 0 to n - 1."""
    return (n - 1) * n * (2 * n - 1) // 6


@numba.njit(nogil=True, cache=True)
def _take_out(image, background, wide, plane, most, sums):  # type: ignore[no-untyped-def]
    """Take out the pixels of the ring that are too far off; return the sum of their squares."""
    ny, nx = image.shape
    left, squares = np.zeros(9), 0.0
    for y in range(ny):
        line = plane[0] + plane[1] * y
        for second in range(2):
            first, last = _run(y, ny, nx, wide, second == 1)
            # Most runs have no such pixel. This loop becomes vector instructions.
            seen = False
            for x in range(first, last):
                value = np.float64(image[y, x]) - background
                seen |= abs(value - (line + plane[2] * x)) > most
            for x in range(first if seen else last, last):
                value = np.float64(image[y, x]) - background
                if abs(value - (line + plane[2] * x)) > most:
                    _add_to_plane(left, y, x, value)
                    squares += value * value
    sums -= left
    return squares


@numba.njit(nogil=True, cache=True)
def sparse_border(ys, xs, counts, ny, nx):  # type: ignore[no-untyped-def]
    """Fit a plane to the border as `dense_border`, without leaving any pixel out.

    Args:
        ys: ``(n,)`` rows of the pixels that are not 0.
        xs: ``(n,)`` their columns.
        counts: ``(n,)`` their values.
        ny: rows of the ROI [pixel].
        nx: columns of the ROI.
    """
    plane = np.zeros(3)
    if min(ny, nx) < 3:
        return plane, 0.0, 0
    wide = _ring_width(ny, nx)
    sums = np.zeros(9)
    for inner in range(2):
        # The ring is the whole ROI without its inside.
        sign, edge = (1.0, 0) if inner == 0 else (-1.0, wide)
        rows, columns = np.arange(edge, ny - edge) * 1.0, np.arange(edge, nx - edge) * 1.0
        sums[0] += sign * len(rows) * len(columns)
        sums[1] += sign * rows.sum() * len(columns)
        sums[2] += sign * columns.sum() * len(rows)
        sums[3] += sign * (rows * rows).sum() * len(columns)
        sums[4] += sign * (columns * columns).sum() * len(rows)
        sums[5] += sign * rows.sum() * columns.sum()
    squares = 0.0
    for i in range(len(ys)):
        y, x = ys[i], xs[i]
        if min(min(y, ny - 1 - y), min(x, nx - 1 - x)) < wide:
            sums[6] += counts[i]
            sums[7] += counts[i] * y
            sums[8] += counts[i] * x
            squares += counts[i] * counts[i]
    return plane, _solve_plane(sums, squares, plane), int(sums[0])


@numba.njit(nogil=True, cache=True)
def _add_to_plane(sums, y, x, value):  # type: ignore[no-untyped-def]
    sums[0] += 1
    sums[1] += y
    sums[2] += x
    sums[3] += y * y
    sums[4] += x * x
    sums[5] += x * y
    sums[6] += value
    sums[7] += value * y
    sums[8] += value * x


@numba.njit(nogil=True, cache=True)
def _solve_plane(sums, squares, plane):  # type: ignore[no-untyped-def]
    """Fill in the plane with the least squares, and return the rms around it."""
    n, y, x = sums[0], sums[1] / sums[0], sums[2] / sums[0]
    value = sums[6] / n
    yy, xx, xy = sums[3] - n * y * y, sums[4] - n * x * x, sums[5] - n * x * y
    vy, vx = sums[7] - n * value * y, sums[8] - n * value * x
    determinant = yy * xx - xy * xy
    plane[1] = plane[2] = 0.0
    if determinant > 1e-9 * yy * xx:
        plane[1] = (vy * xx - vx * xy) / determinant
        plane[2] = (vx * yy - vy * xy) / determinant
    plane[0] = value - plane[1] * y - plane[2] * x
    spread = squares - n * value * value
    left = spread - plane[1] * vy - plane[2] * vx
    # Of large numbers the difference is no better than their rounding.
    return math.sqrt(max(left, 1e-14 * squares, 0.0) / max(n - 3, 1.0))
