"""The colour scale of the image: limits that a few photons cannot make empty."""

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtCore  # noqa: F401 - before silx, which takes the same Qt

from silx.gui.colors import Colormap  # isort: skip


class ImageColors(Colormap):
    """A colour map whose automatic limits leave out extremes, and are never the same number.

    Where fewer than one pixel in a hundred has a photon, all percentiles are 0. Then the upper one
    is that of the pixels which have more.
    """

    def _computeAutoscaleRange(self, data: NDArray[np.float32]) -> tuple[float, float]:
        low, high = super()._computeAutoscaleRange(data)
        above = data[data > low] if low == high else data
        if low < high or not above.size:
            return low, high
        return low, float(np.percentile(above, self.getAutoscalePercentiles()[1]))
