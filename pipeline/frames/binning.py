"""What people look at: the full image with masked pixels NaN, and a small preview."""

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.snapshot import PREVIEW_SIZE

_EXACT_IN_FLOAT32 = 1 << 24


@dataclass(frozen=True)
class BinnedImage:
    """Means and maxima of square blocks, with the statistics of the full image."""

    mean: NDArray[np.float32]
    """``(ny', nx')`` mean of the valid pixels of each block; NaN where there is none."""
    max: NDArray[np.float32]
    """Their maximum."""
    binning: int
    """Pixels per block and side."""
    total: float
    """Sum over all valid pixels."""
    hottest: float
    """Largest valid pixel; NaN when all are masked."""


def preview_binning(shape: tuple[int, int]) -> int:
    """Return the smallest binning with which an image fits into the preview."""
    return max(1, math.ceil(max(shape) / PREVIEW_SIZE))


def make_preview(image: NDArray[Any], valid: NDArray[np.bool_] | None) -> BinnedImage:
    """Bin an image so that it fits into the preview; arguments as in `bin_blocks`."""
    return bin_blocks(image, preview_binning((image.shape[0], image.shape[1])), valid)


def bin_blocks(image: NDArray[Any], binning: int, valid: NDArray[np.bool_] | None) -> BinnedImage:
    """Bin an image to means and maxima of blocks.

    Args:
        image: ``(ny, nx)`` of any integer or float dtype.
        binning: pixels per block and side, at least 1.
        valid: ``(ny, nx)``, False where a pixel is masked; None: nowhere.

    Returns:
        ``ceil(ny / binning)`` times ``ceil(nx / binning)`` blocks: incomplete last ones are kept.
    """
    # Two dtypes, and one layout: what `warm_up` compiled serves every image.
    image = np.require(image, np.int64 if image.dtype.kind in "iu" else np.float64, ["C", "W"])
    blocks = (-(-image.shape[0] // binning), -(-image.shape[1] // binning))
    mean = np.empty(blocks, np.float32)
    largest = np.empty(blocks, np.float32)
    mask = np.empty((0, 0), bool) if valid is None else valid
    total, hottest = _bin(image, mask, valid is not None, binning, mean, largest)
    return BinnedImage(mean, largest, binning, float(total), float(hottest))


def warm_up() -> None:
    """Compile the kernel, so that the first image need not wait."""
    for dtype in (np.int64, np.float64):
        image = np.zeros((1, 1), dtype)
        bin_blocks(image, 1, None)
        bin_blocks(image, 1, np.ones((1, 1), bool))


@numba.njit(nogil=True, cache=True)
def _bin(image, valid, masked, binning, mean, largest):  # type: ignore[no-untyped-def]
    ny, nx = image.shape
    blocks = mean.shape[1]
    sums = np.empty(blocks)
    tops = np.empty(blocks)
    counts = np.empty(blocks, np.int64)
    total, hottest = 0.0, -np.inf
    for by in range(mean.shape[0]):
        sums[:] = 0.0
        tops[:] = -np.inf
        counts[:] = 0
        for y in range(by * binning, min(ny, (by + 1) * binning)):
            for bx in range(blocks):
                subtotal, top, n = 0.0, -np.inf, 0
                for x in range(bx * binning, min(nx, (bx + 1) * binning)):
                    if masked and not valid[y, x]:
                        continue
                    value = float(image[y, x])
                    subtotal += value
                    top = max(top, value)
                    n += 1
                sums[bx] += subtotal
                tops[bx] = max(tops[bx], top)
                counts[bx] += n
        for bx in range(blocks):
            if counts[bx]:
                mean[by, bx] = sums[bx] / counts[bx]
                largest[by, bx] = tops[bx]
                total += sums[bx]
                hottest = max(hottest, tops[bx])
            else:
                mean[by, bx] = np.nan
                largest[by, bx] = np.nan
    return total, hottest if hottest > -np.inf else np.nan


def full_image(
    image: NDArray[Any], valid: NDArray[np.bool_] | None, hottest: float
) -> NDArray[np.floating[Any]]:
    """Return the image as floats that hold it exactly, masked pixels NaN.

    Args:
        image: ``(ny, nx)`` int64 or float64, not negative.
        valid: True where a pixel counts; None: everywhere.
        hottest: largest pixel; decides between float32 and float64.
    """
    small = image.dtype.kind == "i" and hottest < _EXACT_IN_FLOAT32
    out = image.astype(np.float32 if small else np.float64)
    if valid is not None:
        out[~valid] = np.nan
    return out
