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
class Preview:
    """A binned image with the statistics of the full one."""

    mean: NDArray[np.float32]
    """``(ny', nx')`` mean of the good pixels of each block; NaN where there is none."""
    max: NDArray[np.float32]
    """Their maximum."""
    binning: int
    total: float
    """Sum over all good pixels."""
    hottest: float
    """Largest good pixel; NaN when all are masked."""


def preview_binning(shape: tuple[int, int]) -> int:
    """Return the smallest binning with which an image fits into the preview."""
    return max(1, math.ceil(max(shape) / PREVIEW_SIZE))


def make_preview(
    image: NDArray[Any], good: NDArray[np.bool_] | None, binning: int | None = None
) -> Preview:
    """Bin an image to mean and maximum; incomplete last blocks are kept.

    Args:
        image: ``(ny, nx)`` int64 or float64.
        good: ``(ny, nx)``, True where a pixel counts; None: everywhere.
        binning: pixels per block and side; None: as the preview needs it.
    """
    shape = (image.shape[0], image.shape[1])
    binning = preview_binning(shape) if binning is None else binning
    blocks = (-(-shape[0] // binning), -(-shape[1] // binning))
    mean = np.empty(blocks, np.float32)
    largest = np.empty(blocks, np.float32)
    mask = np.empty((0, 0), bool) if good is None else good
    total, hottest = _bin(image, mask, good is not None, binning, mean, largest)
    return Preview(mean, largest, binning, float(total), float(hottest))


def warm_up() -> None:
    """Compile the kernel, so that the first image need not wait."""
    for dtype in (np.int64, np.float64):
        image = np.zeros((1, 1), dtype)
        make_preview(image, None)
        make_preview(image, np.ones((1, 1), bool))


@numba.njit(nogil=True, cache=True)
def _bin(image, good, masked, binning, mean, largest):  # type: ignore[no-untyped-def]
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
                    if masked and not good[y, x]:
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
    image: NDArray[Any], good: NDArray[np.bool_] | None, hottest: float
) -> NDArray[np.floating[Any]]:
    """Return the image as floats that hold it exactly, masked pixels NaN.

    Args:
        image: ``(ny, nx)`` int64 or float64, not negative.
        good: True where a pixel counts; None: everywhere.
        hottest: largest pixel; decides between float32 and float64.
    """
    small = image.dtype.kind == "i" and hottest < _EXACT_IN_FLOAT32
    out = image.astype(np.float32 if small else np.float64)
    if good is not None:
        out[~good] = np.nan
    return out
