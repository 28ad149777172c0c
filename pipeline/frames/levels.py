"""Dark levels and masks on frames: what is subtracted from each pixel, and which do not count.

A masked pixel of a camera with a dark level has an infinite one: nothing of it is left above any
threshold. A masked pixel of a photon counting camera becomes negative, as the camera's own are.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.frames.read_only import read_only

_STEPS = 64
"""Dark levels are multiples of 1 / 64 ADU: sums of them are exact, in any order."""
_NEVER = np.int32(1 << 30)
"""A whole level that no pixel reaches."""


def rounded_level(level: NDArray[Any]) -> NDArray[np.float32]:
    """Return a dark level in steps in which it can be summed exactly.

    Args:
        level: ``(ny, nx)`` [ADU raw].
    """
    return (np.round(np.asarray(level, np.float64) * _STEPS) / _STEPS).astype(np.float32)


def level_of(
    dark: NDArray[Any] | None,
    masked: NDArray[np.bool_] | None,
    background: float,
    shape: tuple[int, int],
) -> NDArray[np.float32]:
    """Return what is subtracted from each pixel.

    Args:
        dark: ``(ny, nx)`` [ADU raw]; None: the background.
        masked: ``(ny, nx)``; None: nothing is masked.
        background: uniform dark level [ADU raw].
        shape: ``(ny, nx)``.

    Returns:
        ``(ny, nx)`` [ADU raw], infinite where masked.
    """
    level = rounded_level(np.full(shape, background) if dark is None else dark)
    if masked is not None:
        level[masked] = np.inf
    return level


def level_for_sums(level: NDArray[np.float32]) -> NDArray[np.int32] | NDArray[np.float32]:
    """Return a level as integers where it has no fractions, so that sums stay integers."""
    finite = np.isfinite(level)
    if not np.array_equal(level[finite], np.trunc(level[finite])):
        return level
    whole = np.full(level.shape, _NEVER)
    whole[finite] = level[finite]
    return whole


def noisy_pixels(noise: NDArray[Any], factor: float) -> NDArray[np.bool_]:
    """Return which pixels are too noisy.

    Args:
        noise: ``(ny, nx)`` standard deviation in the dark [ADU].
        factor: times the median noise above which they are; 0: none are.
    """
    if factor <= 0:
        return np.zeros(noise.shape, bool)
    return noise > factor * float(np.median(noise))


def subtracted(image: NDArray[Any], level: NDArray[np.float32]) -> NDArray[Any]:
    """Subtract a level from a frame, or a part of it.

    Args:
        image: ``(ny, nx)`` integer or float [ADU raw].
        level: of the same pixels [ADU raw].

    Returns:
        ``(ny, nx)`` float32 of 16-bit frames, else float64 [ADU]; -inf where masked. Read-only as
        frames are, so that the same compiled kernels serve both.
    """
    if image.dtype == np.uint16:
        out = np.empty(image.shape, np.float32)
        _subtract(image, level, out)
    else:
        out = np.subtract(image, level)
    out.flags.writeable = False
    return out


def warm_up() -> None:
    """Compile the kernel for frames and parts of them, as they come: read-only."""
    frame, level = read_only(np.zeros((4, 4), np.uint16)), np.zeros((4, 4), np.float32)
    subtracted(frame, level)
    subtracted(frame[1:3, 1:3], level[1:3, 1:3])


@numba.njit(nogil=True, cache=True)
def _subtract(image, level, out):  # type: ignore[no-untyped-def]
    # numpy would convert the frame first, in pieces.
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            out[y, x] = np.float32(image[y, x]) - level[y, x]


def with_mask(image: NDArray[Any], masked: NDArray[np.bool_]) -> NDArray[Any]:
    """Return a photon counting frame with more masked pixels, read-only.

    Args:
        image: ``(ny, nx)``; negative pixels are masked.
        masked: ``(ny, nx)``, which others are.
    """
    if image.dtype.kind == "u":
        image = image.astype(np.int64 if image.itemsize < 8 else np.float64)
    out = np.where(masked, image.dtype.type(-1), image)
    out.flags.writeable = False
    return out
