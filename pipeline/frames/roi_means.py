"""Means over regions of interest; a region without a valid pixel has mean NaN."""

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.frames.summing import background_as
from pipeline.model.roi import Roi


def counting_means(image: NDArray[Any], rois: Sequence[Roi]) -> NDArray[np.float64]:
    """Average the unmasked pixels of a photon counting frame.

    Args:
        image: ``(ny, nx)``; pixels that are negative, NaN or infinite are masked.
        rois: cut to the image.

    Returns:
        ``(len(rois),)``; NaN where a ROI has no unmasked pixel.
    """
    means = np.full(len(rois), np.nan)
    for i, roi in enumerate(rois):
        part = roi.slices(_shape(image))
        if part is not None:
            means[i] = _counting_mean(image[part])
    return means


def cmos_means(
    image: NDArray[Any], rois: Sequence[Roi], background: float, threshold: float
) -> NDArray[np.float64]:
    """Average a raw CMOS frame after background and threshold; arguments as in `cmos`."""
    means = np.full(len(rois), np.nan)
    level = background_as(image.dtype, background)
    for i, roi in enumerate(rois):
        part = roi.slices(_shape(image))
        if part is not None:
            means[i] = _cmos_mean(image[part], level, float(threshold))
    return means


def sparse_means(
    index: NDArray[np.int64], shape: tuple[int, int], rois: Sequence[Roi]
) -> NDArray[np.float64]:
    """Average an image that is one count at each of some flat pixel numbers.

    Args:
        index: ``(n,)`` flat pixel numbers; one may stand there twice.
        shape: ``(ny, nx)`` of the image.
        rois: cut to the image.

    Returns:
        ``(len(rois),)`` counts per pixel; NaN where a ROI is outside of the image.
    """
    means = np.full(len(rois), np.nan)
    y, x = np.divmod(index, shape[1])
    for i, roi in enumerate(rois):
        part = roi.slices(shape)
        if part is not None:
            rows, columns = part
            inside = (y >= rows.start) & (y < rows.stop)
            inside &= (x >= columns.start) & (x < columns.stop)
            pixels = (rows.stop - rows.start) * (columns.stop - columns.start)
            means[i] = np.count_nonzero(inside) / pixels
    return means


def _shape(image: NDArray[Any]) -> tuple[int, int]:
    return image.shape[0], image.shape[1]


@numba.njit(nogil=True, cache=True)
def _counting_mean(image):  # type: ignore[no-untyped-def]
    total, valid = 0.0, 0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = image[y, x]
            if value >= 0 and value < np.inf:
                total += value
                valid += 1
    return total / valid if valid else np.nan


@numba.njit(nogil=True, cache=True)
def _cmos_mean(image, background, threshold):  # type: ignore[no-untyped-def]
    total = 0.0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = image[y, x] - background
            if value > threshold:
                total += value
    return total / image.size
