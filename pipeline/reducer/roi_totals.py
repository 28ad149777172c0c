"""Sums of the statistics of a scan's frames."""

import numpy as np
from numpy.typing import NDArray

from pipeline.model.roi_statistics import STATISTICS
from pipeline.reducer.roi_names import RoiNames


class RoiTotals:
    """Sums of the statistics of a scan's frames, and how many were seen; NaN is not counted."""

    def __init__(self) -> None:
        self._kept = RoiNames()
        self._present: tuple[str, ...] = ()
        self._rows: dict[str, int] = {}
        self._present_rows = np.empty(0, np.intp)
        self._sums = np.zeros((0, len(STATISTICS)))
        self._counts = np.zeros((0, len(STATISTICS)))

    def add(self, names: tuple[str, ...], table: NDArray[np.float64]) -> None:
        """Add one frame.

        Args:
            names: its ROIs.
            table: ``(roi, statistic)`` in the order of `STATISTICS`.
        """
        if names != self._present:
            self._set_rows(names)
        if not names:
            return
        seen = ~np.isnan(table)
        self._sums[self._present_rows] += np.where(seen, table, 0.0)
        self._counts[self._present_rows] += seen

    def _set_rows(self, names: tuple[str, ...]) -> None:
        self._present = names
        dropped = self._kept.update(names)
        stay = [name for name in self._rows if name not in dropped]
        new = [name for name in names if name not in self._rows]
        nothing = np.zeros((len(new), len(STATISTICS)))
        old = [self._rows[name] for name in stay]
        self._sums = np.concatenate([self._sums[old], nothing])
        self._counts = np.concatenate([self._counts[old], nothing])
        self._rows = {name: row for row, name in enumerate([*stay, *new])}
        self._present_rows = np.array([self._rows[name] for name in names], np.intp)

    def sums(self, name: str) -> NDArray[np.float64]:
        """Return the sums of a ROI, ``(statistic,)``; 0 for one never seen."""
        return self._of(name, self._sums)

    def counts(self, name: str) -> NDArray[np.float64]:
        """Return how many frames are in each sum, ``(statistic,)``."""
        return self._of(name, self._counts)

    def _of(self, name: str, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        row = self._rows.get(name)
        return np.zeros(len(STATISTICS)) if row is None else totals[row].copy()
