"""CMOS frames: subtract the background, zero what is not above the threshold."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray


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
