"""Which pixels of a sum were seen, and in how many of its frames."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.batch import SparseImage


@dataclass(eq=False)
class Masks:
    """The corrections of the frames of a sum, and the pixels that each of them leaves in."""

    frames: dict[str, int] = field(default_factory=dict)
    """How many frames had which corrections, as JSON; the newest ones last."""
    unmasked: dict[str, NDArray[np.bool_] | None] = field(default_factory=dict)
    """Pixels that they leave in; None: all."""
    _valid: tuple[int, NDArray[np.bool_] | None] = (0, None)

    def add(self, corrections: str, unmasked: NDArray[np.bool_] | None, frames: int) -> None:
        """Note frames with the same corrections."""
        known = self.frames.pop(corrections, 0)
        self.frames[corrections] = known + frames
        self.unmasked.setdefault(corrections, unmasked)

    @property
    def valid(self) -> NDArray[np.bool_] | None:
        """Pixels that are masked in some frames only, or in none; None: all are."""
        masks = list(self.unmasked.values())
        if not masks or any(one is None for one in masks):
            return None
        if self._valid[0] != len(masks):
            self._valid = len(masks), np.logical_or.reduce([m for m in masks if m is not None])
        return self._valid[1]

    def seen(self) -> NDArray[np.uint32] | None:
        """Return how many frames saw each pixel, ``(ny, nx)``; None: all saw the same pixels."""
        if len(self.unmasked) < 2:
            return None
        kinds = [(one, self.frames[name]) for name, one in self.unmasked.items()]
        there = [one for one, _ in kinds if one is not None]
        if not there:
            return None
        total = np.zeros(there[0].shape, np.uint32)
        for one, frames in kinds:
            total += np.uint32(frames) if one is None else one * np.uint32(frames)
        return total


class SeenPixels:
    """In how many frames of a sum the camera did not mask a pixel itself.

    A camera masks the same pixels in nearly all frames: these frames are only counted.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._mask: NDArray[np.bool_] | None = None
        """The pixels that all of `_frames` saw."""
        self._frames = 0
        self._others: NDArray[np.uint32] | None = None
        """How many of the other frames saw each pixel."""

    def add(self, valid: NDArray[np.bool_], missed: SparseImage | None, frames: int) -> None:
        """Note the frames of a partial sum; see `frames_seen`."""
        if missed is not None:
            self.add_counts(frames_seen(valid, missed, frames))
            return
        if self._mask is None or not np.array_equal(self._mask, valid):
            self._settle()
            self._mask = valid
        self._frames += frames

    def add_counts(self, seen: NDArray[np.uint32]) -> None:
        """Note how many of some frames saw each pixel."""
        if self._others is None:
            self._others = np.zeros(self._shape, np.uint32)
        np.add(self._others, seen, out=self._others)

    def _settle(self) -> None:
        if self._mask is not None and self._frames:
            self.add_counts(frames_seen(self._mask, None, self._frames))
        self._frames = 0

    @property
    def counts(self) -> NDArray[np.uint32]:
        """How many frames saw each pixel, ``(ny, nx)``."""
        self._settle()
        return np.zeros(self._shape, np.uint32) if self._others is None else self._others

    @property
    def are_equal(self) -> bool:
        """True when all frames saw the same pixels, as far as that is known without counting."""
        return self._others is None

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Pixels that some frame saw."""
        if self._others is None and self._mask is not None:
            return self._mask
        return self.counts > 0


def frames_seen(
    valid: NDArray[np.bool_], missed: SparseImage | None, frames: int
) -> NDArray[np.uint32]:
    """Return in how many frames of a partial sum each pixel was seen.

    Args:
        valid: ``(ny, nx)`` pixels that were seen in at least one.
        missed: how often some of them were not; None: never.
        frames: in the partial sum.
    """
    seen = valid * np.uint32(frames)
    if missed is not None:
        flat: NDArray[Any] = seen.reshape(-1)
        flat[missed.index] -= missed.value.astype(np.uint32)
    return seen
