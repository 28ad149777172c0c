"""Place and width of a spot: of what stands above the plane through a ROI's border pixels.

Centre and width are taken again and again, from a first centre of mass on, as steps 2 and 3 of
`pipeline.frames.roi_statistics` say.
"""

import math

import numba
import numpy as np

_SIGNIFICANT = 5.0
"""Signal / noise of a spot that is seen."""
_CENTRE_WINDOW = 3.0
_WIDTH_WINDOW = 4.0
"""Half a window in units of the spot's width."""
_NARROWEST = 0.5
"""A width is never taken as less, so that a window holds 3×3 pixels at least [pixel]."""
_ROUNDS = 10
_STANDS_STILL = 1e-3
"""A centre that moves by less is taken [pixel]."""


@numba.njit(nogil=True, cache=True)
def _share(offset, half):  # type: ignore[no-untyped-def]
    """Return how much of a pixel lies in a window."""
    return min(max(half + 0.5 - abs(offset), 0.0), 1.0)


@numba.njit(nogil=True, cache=True)
def _range(centre, half, size):  # type: ignore[no-untyped-def]
    return max(math.ceil(centre - half - 0.5), 0), min(int(centre + half + 0.5) + 1, size)


@numba.njit(nogil=True, cache=True)
def _dense_window(image, background, counting, plane, y, x, half_y, half_x, sums):  # type: ignore[no-untyped-def]
    """Sum image - plane in a window around a place, and its moments about that place."""
    ny, nx = image.shape
    y_start, y_stop = _range(y, half_y, ny)
    x_start, x_stop = _range(x, half_x, nx)
    sums[:] = 0.0
    for row in range(y_start, y_stop):
        dy = row - y
        share_y = _share(dy, half_y)
        line = plane[0] + plane[1] * row
        s, sx, sxx, n, nn = 0.0, 0.0, 0.0, 0.0, 0.0
        for column in range(x_start, x_stop):
            value = image[row, column] - background
            if (counting and not value >= 0) or not abs(value) < np.inf:
                continue
            dx = column - x
            share = _share(dx, half_x)
            v = share * (value - (line + plane[2] * column))
            s += v
            sx += v * dx
            sxx += v * dx * dx
            n += share
            nn += share * share
        sums[0] += share_y * s
        sums[1] += share_y * s * dy
        sums[2] += share_y * sx
        sums[3] += share_y * s * dy * dy
        sums[4] += share_y * sxx
        sums[5] += share_y * n
        sums[6] += share_y * share_y * nn


@numba.njit(nogil=True, cache=True)
def _shares(centre, half, size):  # type: ignore[no-untyped-def]
    """Sum the shares of the pixels along one axis, and their moments about the centre."""
    start, stop = _range(centre, half, size)
    n, d, dd, ddd, squares = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(start, stop):
        offset = i - centre
        share = _share(offset, half)
        n += share
        d += share * offset
        dd += share * offset * offset
        ddd += share * offset * offset * offset
        squares += share * share
    return n, d, dd, ddd, squares


@numba.njit(nogil=True, cache=True)
def _sparse_window(ys, xs, counts, ny, nx, plane, y, x, half_y, half_x, sums):  # type: ignore[no-untyped-def]
    """Sum as `_dense_window`; the plane is summed along the axes, not pixel by pixel."""
    sums[:] = 0.0
    for i in range(len(ys)):
        dy, dx = ys[i] - y, xs[i] - x
        v = counts[i] * _share(dy, half_y) * _share(dx, half_x)
        sums[0] += v
        sums[1] += v * dy
        sums[2] += v * dx
        sums[3] += v * dy * dy
        sums[4] += v * dx * dx
    y0, y1, y2, y3, y_squares = _shares(y, half_y, ny)
    x0, x1, x2, x3, x_squares = _shares(x, half_x, nx)
    level = plane[0] + plane[1] * y + plane[2] * x
    sums[0] -= level * y0 * x0 + plane[1] * y1 * x0 + plane[2] * y0 * x1
    sums[1] -= level * y1 * x0 + plane[1] * y2 * x0 + plane[2] * y1 * x1
    sums[2] -= level * y0 * x1 + plane[1] * y1 * x1 + plane[2] * y0 * x2
    sums[3] -= level * y2 * x0 + plane[1] * y3 * x0 + plane[2] * y2 * x1
    sums[4] -= level * y0 * x2 + plane[1] * y1 * x2 + plane[2] * y0 * x3
    sums[5] = y0 * x0
    sums[6] = y_squares * x_squares


@numba.njit(nogil=True, cache=True)
def _half(width, factor, centre, size):  # type: ignore[no-untyped-def]
    """Return half a window: it ends where the ROI ends, on the other side of the centre too."""
    return max(min(factor * width, centre + 0.5, size - 0.5 - centre), 1.0)


@numba.njit(nogil=True, cache=True)
def locate(  # type: ignore[no-untyped-def]
    first, dense, image, background, counting, ys, xs, counts, ny, nx, plane, noise, ring, out
):
    """Fill in place and width, from first moments on; leave them when there is no signal.

    Args:
        first: ``(5,)`` sums of what is above the limit: itself, times y, x, y² and x².
        dense: the ROI's pixels are `image`; else they are those at `ys`, `xs`.
        image: ``(ny, nx)`` of the ROI.
        background: uniform dark level, subtracted from `image`.
        counting: negative pixels are masked.
        ys: ``(n,)`` rows of filled pixels, relative to the ROI.
        xs: ``(n,)`` their columns.
        counts: ``(n,)`` their values.
        ny: rows of the ROI.
        nx: its columns.
        plane: ``(3,)`` the border's plane: at the corner, per row, per column.
        noise: rms around the plane.
        ring: valid pixels that it was fitted to.
        out: a row of statistics; its places 3 to 6 are filled in, relative to the ROI.
    """
    if not first[0] > 0:
        return
    y, x = first[1] / first[0], first[2] / first[0]
    width_y = math.sqrt(max(first[3] / first[0] - y * y, _NARROWEST**2))
    width_x = math.sqrt(max(first[4] / first[0] - x * x, _NARROWEST**2))
    sums = np.zeros(7)
    still = False
    for round_ in range(_ROUNDS):
        last = still or round_ == _ROUNDS - 1
        factor = _WIDTH_WINDOW if last else _CENTRE_WINDOW
        half_y, half_x = _half(width_y, factor, y, ny), _half(width_x, factor, x, nx)
        if dense:
            _dense_window(image, background, counting, plane, y, x, half_y, half_x, sums)
        else:
            _sparse_window(ys, xs, counts, ny, nx, plane, y, x, half_y, half_x, sums)
        spread = math.sqrt(sums[6] + sums[5] * sums[5] / ring)
        if not sums[0] > _SIGNIFICANT * noise * spread:
            return
        dy, dx = sums[1] / sums[0], sums[2] / sums[0]
        square_y, square_x = sums[3] / sums[0] - dy * dy, sums[4] / sums[0] - dx * dx
        if last:
            out[3], out[4] = x, y
            out[5], out[6] = math.sqrt(max(square_x, 0.0)), math.sqrt(max(square_y, 0.0))
            return
        y = min(max(y + dy, 0.0), ny - 1.0)
        x = min(max(x + dx, 0.0), nx - 1.0)
        width_y = math.sqrt(max(square_y, _NARROWEST**2))
        width_x = math.sqrt(max(square_x, _NARROWEST**2))
        still = max(abs(dy), abs(dx)) < _STANDS_STILL
