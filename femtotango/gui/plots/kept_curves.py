"""Curves of earlier sums, kept to compare later ones with."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST = 8
"""So many are kept; then the oldest goes."""


@dataclass(frozen=True)
class SumCurve:
    """The curve of one sum, and what it is of."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]


class KeptCurves:
    """The last curve of each sum, from when keeping was switched on until they are cleared."""

    def __init__(self) -> None:
        self.keeping = False
        self._curves: list[SumCurve] = []
        self._newest: SumCurve | None = None
        self._frames = 0

    def __iter__(self) -> Iterator[SumCurve]:
        return iter(self._curves)

    def see(self, curve: SumCurve | None, frames: int) -> None:
        """Note the curve that is shown; that of the sum before is kept when another sum begins.

        Args:
            curve: of the sum now; None: there is none.
            frames: in that sum.
        """
        if frames < self._frames and self.keeping and self._newest is not None:
            self._keep(self._newest)
        self._frames = frames
        if curve is not None or frames == 0:
            self._newest = curve

    def _keep(self, curve: SumCurve) -> None:
        names = {kept.name for kept in self._curves}
        name, number = curve.name, 1
        while name in names:
            number += 1
            name = f"{curve.name} ({number})"
        self._curves.append(SumCurve(name, curve.x, curve.y))
        del self._curves[:-_MOST]

    def clear(self) -> None:
        """Keep nothing of before."""
        self._curves.clear()
