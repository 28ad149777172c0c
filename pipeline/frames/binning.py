"""What people look at: the full image with masked pixels NaN, and a small preview."""

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.snapshot import PREVIEW_SIZE

_EXACT_IN_FLOAT32 = 1 << 24
_EXACT_IN_FLOAT64 = float(1 << 53)


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


def bin_blocks(image: NDArray[Any], binning: int, valid: NDArray[np.bool_] | None) -> BinnedImage:
    """Bin an image to means and maxima of blocks.

    Args:
        image: ``(ny, nx)`` of any integer or float dtype.
        binning: pixels per block and side, at least 1.
        valid: ``(ny, nx)``, False where a pixel is masked; None: nowhere.

    Returns:
        ``ceil(ny / binning)`` times ``ceil(nx / binning)`` blocks: incomplete last ones are kept.
    """
    return Blocks((image.shape[0], image.shape[1]), binning).bin(image, valid)


class Blocks:
    """The blocks of an image that changes: only those with changed pixels are measured anew.

    Whole numbers that are added to an image of whole numbers are added to its blocks too. The
    result is that of the whole image, bit by bit.
    """

    def __init__(self, shape: tuple[int, int], binning: int | None = None) -> None:
        """Begin with all blocks changed.

        Args:
            shape: ``(ny, nx)`` of the image [pixel].
            binning: pixels per block and side, at least 1; None: that of the preview.
        """
        self._shape = shape
        self._binning = preview_binning(shape) if binning is None else binning
        blocks = (-(-shape[0] // self._binning), -(-shape[1] // self._binning))
        self._columns = np.arange(shape[1]) // self._binning
        """The block of each column of pixels."""
        self._changed = np.ones(blocks, bool)
        self._sums = np.zeros(blocks)
        self._tops = np.zeros(blocks)
        self._sizes = np.empty(blocks)
        """Valid pixels of each block."""
        self._mean = np.zeros(blocks, np.float32)
        self._max = np.zeros(blocks, np.float32)
        self._valid: NDArray[np.bool_] | None = None

    @property
    def _of_blocks(self) -> tuple[NDArray[Any], ...]:
        """What the kernels change, in their order."""
        return self._changed, self._sums, self._tops, self._sizes, self._mean, self._max

    @classmethod
    def of_zeros(cls, shape: tuple[int, int]) -> "Blocks":
        """Return those of the preview of an image that is 0 everywhere, none of it masked.

        Args:
            shape: ``(ny, nx)`` of the image [pixel].
        """
        blocks = cls(shape)
        sides = [
            np.diff(np.minimum(blocks._binning * np.arange(n + 1), pixels))
            for n, pixels in zip(blocks._changed.shape, shape, strict=True)
        ]
        blocks._sizes[:] = np.outer(*sides)
        blocks._changed[:] = False
        return blocks

    def __reduce__(self) -> tuple[Any, ...]:
        # What is measured is in the image, too.
        return Blocks, (self._shape, self._binning)

    def note_pixels(self, index: NDArray[np.int64]) -> None:
        """Note that some pixels have changed.

        Args:
            index: ``(n,)`` flat pixel numbers.
        """
        _note(self._changed, index, self._columns, self._binning)

    def note_added(
        self, image: NDArray[Any], index: NDArray[np.int64], value: NDArray[Any]
    ) -> None:
        """Note what was added to some pixels.

        Args:
            image: ``(ny, nx)`` int64 or float64, C contiguous, with it.
            index: ``(n,)`` flat pixel numbers; one may stand there twice.
            value: ``(n,)`` of the image's dtype.
        """
        if image.dtype.kind != "i":
            self.note_pixels(index)
            return
        valid = np.empty(0, bool) if self._valid is None else self._valid.reshape(-1)
        _grow(
            image.reshape(-1),
            index,
            value,
            valid,
            self._valid is not None,
            self._columns,
            self._binning,
            *self._of_blocks,
        )

    def note_all(self) -> None:
        """Note that any pixel may have changed."""
        self._changed[:] = True

    def bin(self, image: NDArray[Any], valid: NDArray[np.bool_] | None) -> BinnedImage:
        """Return means and maxima of all blocks.

        Args:
            image: as in `bin_blocks`.
            valid: as in `bin_blocks`.
        """
        # Two dtypes, and one layout: what `warm_up` compiled serves every image.
        image = np.require(image, np.int64 if image.dtype.kind in "iu" else np.float64, ["C", "W"])
        if not _same_mask(valid, self._valid):
            self.note_all()
        self._valid = valid
        mask = np.empty((0, 0), bool) if valid is None else valid
        _measure(
            image,
            mask,
            valid is not None,
            self._binning,
            *self._of_blocks,
        )
        self._changed[:] = False
        total, hottest = _of_all(self._sums, self._tops)
        return BinnedImage(
            self._mean.copy(), self._max.copy(), self._binning, float(total), float(hottest)
        )


def _same_mask(a: NDArray[np.bool_] | None, b: NDArray[np.bool_] | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def warm_up() -> None:
    """Compile the kernels, so that the first image need not wait."""
    for dtype in (np.int64, np.float64):
        image = np.zeros((1, 1), dtype)
        bin_blocks(image, 1, None)
        bin_blocks(image, 1, np.ones((1, 1), bool))
    nowhere = np.zeros(1, np.int64)
    Blocks((1, 1)).note_pixels(nowhere)
    Blocks.of_zeros((1, 1)).note_added(np.zeros((1, 1), np.int64), nowhere, nowhere)


@numba.njit(nogil=True, cache=True)
def _note(changed, index, columns, binning):  # type: ignore[no-untyped-def]
    # Divisions take longer than all the rest: most pixels are in the row of the one before.
    nx = columns.size
    first, row = 0, changed[0]
    for i in range(index.size):
        x = index[i] - first
        if x < 0 or x >= nx:
            y = index[i] // nx
            first, row = y * nx, changed[y // binning]
            x = index[i] - first
        row[columns[x]] = True


@numba.njit(nogil=True, cache=True)
def _grow(  # type: ignore[no-untyped-def]
    image, index, value, valid, masked, columns, binning, changed, sums, tops, sizes, mean, largest
):
    nx = columns.size
    first, by = 0, 0
    for i in range(index.size):
        pixel = index[i]
        x = pixel - first
        if x < 0 or x >= nx:
            y = pixel // nx
            first, by = y * nx, y // binning
            x = pixel - first
        bx = columns[x]
        if changed[by, bx] or (masked and not valid[pixel]):
            continue
        total = sums[by, bx] + value[i]
        if value[i] < 0 or abs(total) > _EXACT_IN_FLOAT64:
            # The maximum may have been there; a sum beyond depends on the order.
            changed[by, bx] = True
            continue
        top = max(tops[by, bx], float(image[pixel]))
        sums[by, bx], tops[by, bx] = total, top
        mean[by, bx], largest[by, bx] = total / sizes[by, bx], top


@numba.njit(nogil=True, cache=True)
def _measure(image, valid, masked, binning, changed, sums, tops, sizes, mean, largest):  # type: ignore[no-untyped-def]
    for by in range(changed.shape[0]):
        for bx in range(changed.shape[1]):
            if not changed[by, bx]:
                continue
            total, top, n = 0.0, -np.inf, 0
            right = min(image.shape[1], (bx + 1) * binning)
            for y in range(by * binning, min(image.shape[0], (by + 1) * binning)):
                subtotal = 0.0
                for x in range(bx * binning, right):
                    if masked and not valid[y, x]:
                        continue
                    value = float(image[y, x])
                    subtotal += value
                    top = max(top, value)
                    n += 1
                total += subtotal
            sums[by, bx], tops[by, bx], sizes[by, bx] = total, top, n
            mean[by, bx] = total / n if n else np.nan
            largest[by, bx] = top if n else np.nan


@numba.njit(nogil=True, cache=True)
def _of_all(sums, tops):  # type: ignore[no-untyped-def]
    total, hottest = 0.0, -np.inf
    for by in range(sums.shape[0]):
        for bx in range(sums.shape[1]):
            total += sums[by, bx]
            hottest = max(hottest, tops[by, bx])
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
