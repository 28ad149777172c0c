"""What becomes of the values of an image before they are shown: per frame, or as a difference."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class KeptImage:
    """An image that others are compared with."""

    detector: str
    frames: int
    pixels: Pixels
    """``(ny, nx)`` sum of the frames, NaN where masked."""


@dataclass(frozen=True)
class Part:
    """Which pixels of an image the blocks of an array are."""

    x: int
    """First image pixel."""
    y: int
    binning: int
    """Image pixels per block and side."""
    largest: bool
    """Blocks are maxima, not means."""


@dataclass(frozen=True)
class ShownAs:
    """How the values of the image are shown; as they are, unless something else was chosen."""

    per_frame: bool = False
    difference: bool = False
    """To the kept image, both per frame: their numbers of frames may differ."""
    kept: KeptImage | None = None

    def compares(self, detector: str, shape: tuple[int, int]) -> bool:
        """Tell whether an image is shown as the difference to the kept one."""
        kept = self.kept
        return (
            self.difference
            and kept is not None
            and kept.detector == detector
            and kept.pixels.shape == shape
        )

    def of(self, detector: str, shape: tuple[int, int]) -> "ShownAs":
        """Return what can be done with this image: only its own camera's is subtracted."""
        return replace(self, difference=self.compares(detector, shape))

    def values(self, blocks: Pixels, part: Part, frames: int) -> Pixels:
        """Return what is shown.

        Args:
            blocks: ``(ny, nx)`` of the sum, NaN where masked.
            part: which pixels they are.
            frames: in the sum.
        """
        if self.difference and self.kept is not None:
            rows = slice(part.y, part.y + blocks.shape[0] * part.binning)
            columns = slice(part.x, part.x + blocks.shape[1] * part.binning)
            before = in_blocks(self.kept.pixels[rows, columns], part.binning, part.largest)
            return (blocks / max(1, frames) - before / max(1, self.kept.frames)).astype(np.float32)
        return (blocks / max(1, frames)).astype(np.float32) if self.per_frame else blocks


def in_blocks(pixels: Pixels, binning: int, largest: bool) -> Pixels:
    """Return means or maxima of blocks without masked (NaN) pixels; incomplete blocks are kept."""
    if binning == 1:
        return pixels
    # Most windows never need it, and its compiler would hold up their start.
    from pipeline.frames.binning import bin_blocks

    blocks = bin_blocks(pixels, binning, np.isfinite(pixels))
    return blocks.max if largest else blocks.mean
