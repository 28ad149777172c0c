"""Mean, sum, maximum, place and width of what is seen in regions of interest.

Place and width are those of what stands above the ROI's own border:

1. A plane is fitted to the ROI's outermost pixels (`pipeline.frames.border_plane`), so that a
   sloping background goes away and not only its mean. The rms around it is σ, the noise.
2. The pixels above plane + σ √(2 ln n) give a first centre of mass and rms width; of n pixels of
   noise hardly one is above that (Donoho and Johnstone, Biometrika 81, 1994, 425).
3. Centre and width are taken again, of image - plane with its sign, in a window of ± 3 widths
   around that centre, until they stand still. So noise cancels instead of adding up, nothing is
   cut off the spot's flanks, and pixels far from the spot do not count. The window ends equally
   far left and right of the centre, also where the ROI ends: a spot near the border is not pulled
   inwards. The widths come from ± 4 widths.

There is *no signal*, and place and width are NaN, when

- no pixel of the processed image is above 0, or none reaches the limit of step 2;
- the sum in the window is below five times its own noise, that of the plane's level included;
- the ROI is narrower than 3 pixels, or less than six of its border pixels are valid.

A CMOS frame's threshold decides about mean, sum and maximum, and whether there is signal. Place and
width take the pixels below it too: cut at a fixed level, a spot on a slope would lose more on one
side than on the other.
"""

import math
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.frames.border_plane import dense_border, sparse_border
from pipeline.frames.levels import subtracted
from pipeline.model.cameras import CAMERAS
from pipeline.model.roi import Roi
from pipeline.model.roi_statistics import COLUMNS

_SIGNIFICANT = 5.0
"""Signal / noise of a spot that is seen."""
_CENTRE_WINDOW = 3.0
_WIDTH_WINDOW = 4.0
"""Half a window in units of the spot's width."""
_NARROWEST = 0.5
"""A width is never taken as less, so that a window holds 3×3 pixels at least [pixel]."""
_ROUNDS = 10
_COMPILED = (np.dtype(np.uint16), np.dtype(np.float32))
_PIXELS = 1 << 16
"""Values of 16 bits."""
_LONGEST_WHOLE = 1 << 14
"""Sums of more pixels could be too large for an int32 with its sign."""
_STANDS_STILL = 1e-3
"""A centre that moves by less is taken [pixel]."""


def counting_statistics(image: NDArray[Any], rois: Sequence[Roi]) -> NDArray[np.float64]:
    """Measure ROIs of a photon counting frame.

    Args:
        image: ``(ny, nx)``; pixels that are negative, NaN or infinite are masked.
        rois: cut to the image.

    Returns:
        ``(len(rois), len(COLUMNS))``; places in full-image pixels. All NaN where a ROI has no
        unmasked pixel.
    """
    return _dense_statistics(image, rois, 0, 0.0, True)


def cmos_statistics(
    image: NDArray[Any],
    rois: Sequence[Roi],
    background: float,
    threshold: float,
    level: NDArray[np.float32] | None = None,
) -> NDArray[np.float64]:
    """Measure ROIs of a raw CMOS frame.

    Args:
        image: ``(ny, nx)`` [ADU raw].
        rois: cut to the image.
        background: uniform dark level [ADU raw].
        threshold: pixels not above it count as 0 in mean, sum and maximum [ADU].
        level: ``(ny, nx)`` dark level of each pixel in the place of the background, infinite where
            a pixel is masked [ADU raw]; None: there is none.

    Returns:
        As `counting_statistics`.
    """
    return _dense_statistics(image, rois, float(background), float(threshold), False, level)


def image_statistics(
    image: NDArray[Any], valid: NDArray[np.bool_] | None, rois: Sequence[Roi]
) -> NDArray[np.float64]:
    """Measure ROIs of a processed image, such as a sum of frames.

    Args:
        image: ``(ny, nx)``, nowhere negative.
        valid: ``(ny, nx)``, False where masked; None: nothing is.
        rois: cut to the image.

    Returns:
        As `counting_statistics`.
    """
    table = np.full((len(rois), len(COLUMNS)), np.nan)
    for row, roi in zip(table, rois, strict=True):
        part = roi.slices((image.shape[0], image.shape[1]))
        if part is not None:
            pixels = image[part].astype(np.float64)
            if valid is not None:
                pixels[~valid[part]] = np.nan
            _measure_dense(pixels, 0.0, 0.0, True, row)
            row[3] += part[1].start
            row[4] += part[0].start
    return table


def warm_up_for_images() -> None:
    """Compile the kernel that `image_statistics` takes."""
    image_statistics(np.zeros((5, 5)), None, [Roi(0, 0, 5, 5)])


def warm_up() -> None:
    """Compile the kernels for the cameras' own dtypes, as parts of frames come: read-only."""
    roi = Roi(1, 1, 3, 3)
    for camera in CAMERAS.values():
        image = np.zeros((5, 5), camera.dtype)
        image.flags.writeable = False
        _dense_statistics(image, [roi, Roi(0, 0, 5, 5)], 0.0, 0.0, camera.photon_counting)
    sparse_statistics(np.zeros(1, np.int64), (5, 5), [roi])


def _dense_statistics(
    image: NDArray[Any],
    rois: Sequence[Roi],
    background: float,
    threshold: float,
    counting: bool,
    level: NDArray[np.float32] | None = None,
) -> NDArray[np.float64]:
    table = np.full((len(rois), len(COLUMNS)), np.nan)
    for row, roi in zip(table, rois, strict=True):
        part = roi.slices((image.shape[0], image.shape[1]))
        if part is not None:
            pixels = image[part] if level is None else subtracted(image[part], level[part])
            above = background if level is None else 0.0
            _measure_dense(_compiled(pixels), above, threshold, counting, row)
            row[3] += part[1].start
            row[4] += part[0].start
    return table


def _compiled(part: NDArray[Any]) -> NDArray[Any]:
    """Return a ROI in a type that the kernel is compiled for; cameras' frames are as they are."""
    return part if part.dtype in _COMPILED else part.astype(np.float64)


def sparse_statistics(
    index: NDArray[np.int64],
    shape: tuple[int, int],
    rois: Sequence[Roi],
    masked: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Measure ROIs of an image that is one count at each of some flat pixel numbers.

    No border pixel is left out as an outlier: few of them have a count at all.

    Args:
        index: ``(n,)`` flat pixel numbers; one may stand there twice.
        shape: ``(ny, nx)`` of the image.
        rois: cut to the image.
        masked: ``(ny, nx)`` pixels that cannot have a count; None: all can.

    Returns:
        As `counting_statistics`, in counts.
    """
    table = np.full((len(rois), len(COLUMNS)), np.nan)
    if not rois:
        return table
    pixels, counts = np.unique(index, return_counts=True)
    ys, xs = np.divmod(pixels, shape[1])
    for row, roi in zip(table, rois, strict=True):
        part = roi.slices(shape)
        if part is not None:
            rows, columns = part
            inside = (ys >= rows.start) & (ys < rows.stop)
            inside &= (xs >= columns.start) & (xs < columns.stop)
            _measure_sparse(
                ys[inside] - rows.start,
                xs[inside] - columns.start,
                counts[inside],
                rows.stop - rows.start,
                columns.stop - columns.start,
                row,
            )
            row[3] += columns.start
            row[4] += rows.start
            if masked is not None:
                _leave_out(row, int(np.count_nonzero(masked[part])))
    return table


def _leave_out(row: NDArray[np.float64], masked: int) -> None:
    """Take masked pixels, which have no counts, out of a row of statistics."""
    row[7] -= masked
    if row[7] > 0:
        row[0] = row[1] / row[7]
    else:
        row[:] = np.nan


@numba.njit(nogil=True, cache=True)
def _fits_whole_numbers(image, background, threshold):  # type: ignore[no-untyped-def]
    """Say whether a row of 16-bit pixels may be summed as int32; the result is the same."""
    return (
        image.itemsize == 2
        and image.shape[1] <= _LONGEST_WHOLE
        and background == np.floor(background)
        and abs(background) < _PIXELS
        and 0 <= threshold < _PIXELS
    )


@numba.njit(nogil=True, cache=True)
def _whole_row(image, y, background, threshold):  # type: ignore[no-untyped-def]
    """Return sum and maximum of a row; whole numbers become vector instructions."""
    total, largest = np.int32(0), np.int32(-_PIXELS)
    for x in range(image.shape[1]):
        value = np.int32(image[y, x]) - background
        total += value if value > threshold else np.int32(0)
        largest = max(largest, value)
    return total, largest


@numba.njit(nogil=True, cache=True)
def _measure_dense(image, background, threshold, counting, out):  # type: ignore[no-untyped-def]
    """Fill a row of statistics from one ROI, places relative to the ROI."""
    ny, nx = image.shape
    plane, noise, ring = dense_border(image, background, counting)
    limit = noise * math.sqrt(2 * math.log(ny * nx))
    total, valid, largest = 0.0, 0, 0.0
    first = np.zeros(5)
    whole = not counting and _fits_whole_numbers(image, background, threshold)
    for y in range(ny):
        line = plane[0] + plane[1] * y + limit
        n = 0
        if whole:
            row_total, row_largest = _whole_row(image, y, np.int32(background), np.int32(threshold))
            n = nx
            total += row_total
            if row_largest > threshold:
                largest = max(largest, np.float64(row_largest))
            # Most rows are below the limit everywhere.
            if row_largest <= min(line, line + plane[2] * (nx - 1)):
                valid += n
                continue
        for x in range(0 if not whole else nx, nx):
            value = image[y, x] - background
            usable = value > -np.inf and (not counting or (value >= 0 and value < np.inf))
            n += usable
            if usable and (counting or value > threshold):
                total += value
                largest = max(largest, value)
        # Most rows have no signal. This loop becomes vector instructions, the last one cannot.
        seen = False
        for x in range(nx):
            seen |= np.float64(image[y, x]) - background > line + plane[2] * x
        valid += n
        if not seen:
            continue
        for x in range(nx):
            value = image[y, x] - background
            above = value - (line + plane[2] * x)
            if above > 0 and above < np.inf and (value >= 0 or not counting):
                first[0] += above
                first[1] += above * y
                first[2] += above * x
                first[3] += above * y * y
                first[4] += above * x * x
    if valid == 0:
        return
    out[7] = valid
    out[0] = total / valid
    out[1] = total
    out[2] = largest
    if largest > 0 and ring > 0:
        none = np.empty(0, np.int64)
        _locate(
            first,
            True,
            image,
            background,
            counting,
            none,
            none,
            none,
            ny,
            nx,
            plane,
            noise,
            ring,
            out,
        )


@numba.njit(nogil=True, cache=True)
def _measure_sparse(ys, xs, counts, ny, nx, out):  # type: ignore[no-untyped-def]
    """Fill a row of statistics from the filled pixels of one ROI, places relative to the ROI."""
    plane, noise, ring = sparse_border(ys, xs, counts, ny, nx)
    limit = noise * math.sqrt(2 * math.log(ny * nx))
    total, largest = 0.0, 0.0
    first = np.zeros(5)
    for i in range(len(ys)):
        y, x, value = ys[i], xs[i], counts[i]
        total += value
        largest = max(largest, np.float64(value))
        above = value - (plane[0] + plane[1] * y + plane[2] * x + limit)
        if above > 0:
            first[0] += above
            first[1] += above * y
            first[2] += above * x
            first[3] += above * y * y
            first[4] += above * x * x
    out[7] = ny * nx
    out[0] = total / out[7]
    out[1] = total
    out[2] = largest
    if largest > 0 and ring > 0:
        image = np.empty((0, 0), np.float32)
        _locate(first, False, image, 0.0, True, ys, xs, counts, ny, nx, plane, noise, ring, out)


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
def _locate(  # type: ignore[no-untyped-def]
    first, dense, image, background, counting, ys, xs, counts, ny, nx, plane, noise, ring, out
):
    """Fill in place and width, from first moments on; leave them when there is no signal."""
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
