"""Energies of all photons of a scan, kept so that any histogram of them can be made at any time."""

import numpy as np
from numpy.typing import NDArray

MAX_VALUES = 1_000_000
"""Different energies that are kept exactly; about 12 MB."""
_PENDING = 65_536
_DROPPED_BITS = 11
"""Of a float32's mantissa when there are too many: steps of 0.25 ADU at 1200 ADU remain."""


class PhotonEnergies:
    """Counts photons by their energy.

    Raw pixels are whole numbers, so however many photons come, there are only some thousand
    different 3×3 sums, and each is kept with its count: a change of range or bins is exact after
    any number of photons. Only a camera with float pixels could bring more than `MAX_VALUES`
    different energies; then all are rounded to 1 part in 4096, which bounds the memory.
    """

    def __init__(self) -> None:
        self._values: NDArray[np.float32] = np.empty(0, np.float32)
        self._below: NDArray[np.int64] = np.zeros(1, np.int64)
        self._pending: list[NDArray[np.float32]] = []
        self._pending_count = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """Number of different energies that are kept."""
        self._merge()
        return len(self._values)

    def add(self, energies: NDArray[np.float32]) -> None:
        """Count photons.

        Args:
            energies: ``(n,) float32``, finite [ADU].
        """
        if not len(energies):
            return
        self._pending.append(energies)
        self._pending_count += len(energies)
        self._count += len(energies)
        if self._pending_count >= _PENDING:
            self._merge()

    def above(self, threshold: float) -> int:
        """Return the number of photons with more energy than a threshold [ADU]."""
        self._merge()
        return self._count - int(self._below[np.searchsorted(self._values, threshold, "right")])

    def histogram(
        self, low: float, high: float, bins: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Count the photons in equal bins.

        Args:
            low: lower edge of the first bin [ADU].
            high: upper edge of the last bin, which it belongs to [ADU].
            bins: their number.

        Returns:
            Bin centres ``(bins,) float64`` [ADU] and counts ``(bins,) int64``; both empty when
            `low` is not below `high`. What is outside is not counted.
        """
        if not low < high:
            return np.empty(0, np.float64), np.empty(0, np.int64)
        self._merge()
        # Halved, because the difference of two huge limits is no number any more.
        half_edges = np.linspace(low / 2, high / 2, bins + 1)
        edges = 2 * half_edges
        edges[0] = low
        place = np.searchsorted(self._values, edges, "left")
        place[-1] = np.searchsorted(self._values, high, "right")
        return half_edges[:-1] + half_edges[1:], np.diff(self._below[place])

    def _merge(self) -> None:
        if not self._pending:
            return
        new, counts = np.unique(np.concatenate(self._pending), return_counts=True)
        self._pending.clear()
        self._pending_count = 0
        self._set(np.concatenate([self._values, new]), np.append(np.diff(self._below), counts))
        if len(self._values) > MAX_VALUES:
            bits = self._values.view(np.uint32)
            rounded = (bits + (1 << (_DROPPED_BITS - 1))) >> _DROPPED_BITS << _DROPPED_BITS
            self._set(rounded.view(np.float32), np.diff(self._below))

    def _set(self, values: NDArray[np.float32], counts: NDArray[np.int64]) -> None:
        """Sort values that may stand there twice, and sum up their counts."""
        self._values, place = np.unique(values, return_inverse=True)
        sums = np.zeros(len(self._values), np.int64)
        np.add.at(sums, place, counts)
        self._below = np.concatenate([[0], np.cumsum(sums)])
