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

from pipeline.frames.border_plane import PIXELS, dense_border, is_whole, sparse_border
from pipeline.frames.levels import subtracted
from pipeline.frames.read_only import read_only
from pipeline.frames.spot import locate
from pipeline.model.cameras import CAMERAS
from pipeline.model.roi import Roi
from pipeline.model.roi_statistics import COLUMNS

_COMPILED = (np.dtype(np.uint16), np.dtype(np.float32))
_LONGEST_WHOLE = 1 << 14
"""Sums of more pixels could be too large for an int32 with its sign."""
_NOTHING = np.zeros((0, len(COLUMNS)))
"""What there is of no ROI."""
_NOTHING.flags.writeable = False


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
        image = read_only(np.zeros((5, 5), camera.dtype))
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
    if not rois:
        return _NOTHING
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
    """Return a ROI as the kernel is compiled for it: cameras' own dtypes, pixel behind pixel.

    Of rows that lie apart in memory the compiler makes no vector instructions.
    """
    return np.ascontiguousarray(part, part.dtype if part.dtype in _COMPILED else np.float64)


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
        is_whole(image, background) and image.shape[1] <= _LONGEST_WHOLE and 0 <= threshold < PIXELS
    )


@numba.njit(nogil=True, cache=True)
def _whole_row(image, y, background, threshold):  # type: ignore[no-untyped-def]
    """Return sum and maximum of a row; whole numbers become vector instructions."""
    total, largest = np.int32(0), np.int32(-PIXELS)
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
        locate(
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
        locate(first, False, image, 0.0, True, ys, xs, counts, ny, nx, plane, noise, ring, out)
