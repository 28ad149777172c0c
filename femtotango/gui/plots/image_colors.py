"""The colour scale of the image: limits that a few photons cannot make empty."""

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtCore  # noqa: F401 - before silx, which takes the same Qt

from silx.gui.colors import Colormap  # isort: skip


class ImageColors(Colormap):
    """A colour map whose automatic limits leave out extremes, and are never the same number.

    Where fewer than one pixel in a hundred has a photon, all percentiles are 0: then all values
    of the image are between the limits.
    """

    def _computeAutoscaleRange(self, data: NDArray[np.float32]) -> tuple[float, float]:
        low, high = super()._computeAutoscaleRange(data)
        if low < high:
            return low, high
        return self._getNormalizer().autoscale(data, mode=self.MINMAX)
