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
