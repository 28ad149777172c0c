"""The largest photon energy of each frame, as clients of the earlier pipeline read it."""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.snapshot import MAX_CURVE_POINTS


class LargestEnergies:
    """Keeps one number a frame, of the newest frames."""

    def __init__(self, most: int = MAX_CURVE_POINTS) -> None:
        """Begin without frames.

        Args:
            most: frames that are kept.
        """
        self._most = most
        self._values: NDArray[np.float64] = np.empty(256)
        self._count = 0

    def add(self, energies: NDArray[np.float32]) -> None:
        """Take the photons of one frame.

        Args:
            energies: ``(n,)`` [ADU]; of a frame without photons NaN is kept.
        """
        if self._count == len(self._values):
            # Room for as many more, so that each is moved once on the average.
            kept = self.values
            self._values = np.empty(2 * max(len(kept), 128))
            self._values[: len(kept)] = kept
            self._count = len(kept)
        self._values[self._count] = np.max(energies) if len(energies) else math.nan
        self._count += 1

    @property
    def values(self) -> NDArray[np.float64]:
        """Return ``(frame,) float64`` [ADU], in the order of the frames; a copy."""
        return self._values[max(0, self._count - self._most) : self._count].copy()
