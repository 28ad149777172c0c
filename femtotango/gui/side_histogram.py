"""The mean of each column or row of an image, drawn beside it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from taurus.external.qt import QtWidgets  # before silx, which takes the same Qt

from silx.gui.plot import PlotWidget  # isort: skip
from silx.gui.plot.items.image import ImageData  # isort: skip

THICKNESS = 76
"""Screen pixels."""

_LINE = "#1f4e9e"
_MARGIN = 0.06


class SideHistogram(PlotWidget):
    """Follow what an image item shows; the axis along the image is set by its owner."""

    def __init__(self, parent: QtWidgets.QWidget, vertical: bool) -> None:
        """Make an empty histogram.

        Args:
            parent: the plot of the image.
            vertical: means of rows, beside the image; else means of columns, below it.
        """
        super().__init__(parent, backend="mpl")
        self._vertical = vertical
        self.setInteractiveMode("pan")
        self.getXAxis().setLabel("")
        self.getYAxis().setLabel("")
        axes = self._axes()
        (axes.xaxis if vertical else axes.yaxis).set_major_locator(MaxNLocator(2))
        if vertical:
            self.setFixedWidth(THICKNESS)
        else:
            self.setFixedHeight(THICKNESS)

    def _axes(self) -> Axes:
        canvas = self.getWidgetHandle()
        if not isinstance(canvas, FigureCanvasBase):
            raise RuntimeError("side histograms need silx' matplotlib backend")
        return canvas.figure.axes[0]

    def keep_in_line(self, before: float, after: float) -> None:
        """Leave the same space as the image does.

        Args:
            before: at the left or the top, as share of the widget's length.
            after: at the right or the bottom.
        """
        if self._vertical:
            self.setAxesMargins(_MARGIN, before, _MARGIN, after)
        else:
            self.setAxesMargins(before, _MARGIN, after, _MARGIN)

    def show_means(self, item: ImageData, seen: tuple[slice, slice]) -> None:
        """Draw the means of what is seen of an image.

        Args:
            item: the image.
            seen: rows and columns of its data.
        """
        values = item.getData(copy=False)[seen]
        if values.size == 0:
            return
        means = mean_of_good(values, axis=1 if self._vertical else 0)
        along = 1 if self._vertical else 0
        first = seen[0].start if self._vertical else seen[1].start
        edges = first + np.arange(len(means) + 1)
        position = item.getOrigin()[along] + edges * item.getScale()[along]
        steps, heights = np.repeat(position, 2)[1:-1], np.repeat(means, 2)
        x, y = (heights, steps) if self._vertical else (steps, heights)
        self.addCurve(
            x, y, legend="mean", color=_LINE, linestyle="-", selectable=False, resetzoom=False
        )
        finite = means[np.isfinite(means)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        margin = _MARGIN * (high - low) or 0.5
        axis = self.getXAxis() if self._vertical else self.getYAxis()
        axis.setLimits(low - margin, high + margin)


def mean_of_good(values: NDArray[np.float32], axis: int) -> NDArray[np.float64]:
    """Return means over an axis without masked (NaN) values; NaN where all are masked."""
    good = np.isfinite(values)
    number = good.sum(axis)
    total = np.where(good, values, 0).sum(axis, dtype=np.float64)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def seen_pixels(low: float, high: float, origin: float, scale: float, size: int) -> slice:
    """Return which values along one axis lie within its limits."""
    first = int(np.clip(np.floor((low - origin) / scale), 0, size))
    last = int(np.clip(np.ceil((high - origin) / scale), 0, size))
    return slice(first, max(first, last))
