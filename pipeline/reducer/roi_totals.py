"""Running totals of the ROI means of a scan: what lies between two looks is a difference."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


class RoiTotals:
    """Sum and number of the ROI means of a scan's frames; NaN is not counted."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, means: Mapping[str, float]) -> None:
        """Take in the ROI means of one frame, by name."""
        for name, mean in means.items():
            seen = not math.isnan(mean)
            self._sums[name] = self._sums.get(name, 0.0) + (mean if seen else 0.0)
            self._counts[name] = self._counts.get(name, 0) + seen

    def sums(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the sums in the order of the names, ``(roi,)``; 0 for one never seen."""
        return np.array([self._sums.get(name, 0.0) for name in names], np.float64)

    def counts(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return how many frames are in each sum, ``(roi,)``."""
        return np.array([self._counts.get(name, 0) for name in names], np.int64)
