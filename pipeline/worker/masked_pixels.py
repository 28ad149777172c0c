"""The pixels that a photon counting detector masks itself, in the frames of a partial sum."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.counting import add_counting, is_masked
from pipeline.frames.pixel_bits import words_of
from pipeline.frames.read_only import read_only
from pipeline.protocols.batch import SparseImage


class MaskedPixels:
    """Follows which pixels are masked; they are nearly always the same, so this costs little.

    The frames are compared with the first one, also in later partial sums, until one is different.
    """

    def __init__(self) -> None:
        self._valid: NDArray[np.bool_] | None = None
        """Where the first frame was not masked."""
        self._masked = np.zeros(0, np.uint64)
        """Bits of the others."""
        self._odd = np.zeros((0, 0), np.uint16)
        """In how many frames a pixel was not as in the first one."""
        self._differ = False

    def add_frame(self, total: NDArray[Any], image: NDArray[Any]) -> None:
        """Add a frame to a sum, without its masked pixels.

        Args:
            total: ``(ny, nx)`` sum that is added to.
            image: ``(ny, nx)`` of any number dtype.
        """
        if self._valid is None or self._valid.shape != image.shape:
            masked = is_masked(image)
            self._masked = words_of(masked)
            self._valid = read_only(masked == 0)
            if self._odd.shape != image.shape:
                self._odd = np.zeros(image.shape, np.uint16)
        self._differ |= add_counting(total, self._masked, self._odd, image) > 0

    def take(self, frames: int) -> tuple[NDArray[np.bool_], SparseImage | None]:
        """Return which pixels were valid in some frame, and how often these were masked.

        Args:
            frames: how many were added since the last call.

        Returns:
            ``(ny, nx)``, not to be changed; and the valid pixels that were masked in some frames,
            with the number of these frames, or None: in none.
        """
        assert self._valid is not None
        if not self._differ:
            return self._valid, None
        usual, odd = self._valid, self._odd
        valid = usual | (odd > 0)
        missed = np.where(usual, odd, frames - odd).astype(np.uint32)
        index = np.flatnonzero(valid & (missed > 0))
        self.forget()
        if not len(index):
            return valid, None
        return valid, SparseImage(index.astype(np.int32), missed.reshape(-1)[index])

    def forget(self) -> None:
        """Drop the frames that were added: begin anew."""
        if self._differ:
            self._odd.fill(0)
            self._valid, self._differ = None, False
