"""The mean of each column or row of an image, drawn beside it."""

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.plots.theme import theme_of

THICKNESS = 70
"""Screen pixels."""
_VEIL = 200
"""Of 255, how much a number hides the curve behind it."""


class SideHistogram(QtWidgets.QWidget):
    """A step curve in line with an image; painted directly, as it is redrawn with every image."""

    def __init__(self, parent: QtWidgets.QWidget, vertical: bool, before: int, after: int) -> None:
        """Make an empty histogram.

        Args:
            parent: the plot of the image.
            vertical: means of rows, beside the image; else means of columns, below it.
            before: space at the top or the left [screen pixel], as the image has it.
            after: space at the bottom or the right.
        """
        super().__init__(parent)
        self._vertical, self._before, self._after = vertical, before, after
        self.edges = np.empty(0)
        """``(n + 1,)`` limits of the steps [image pixel]."""
        self.means = np.empty(0)
        """``(n,)`` their heights; NaN where all is masked."""
        self._limits = (0.0, 1.0)
        if vertical:
            self.setFixedWidth(THICKNESS)
        else:
            self.setFixedHeight(THICKNESS)
        self.setToolTip(f"Mean of each {'row' if vertical else 'column'} of the visible part.")

    def show_means(
        self, edges: NDArray[np.float64], means: NDArray[np.float64], limits: tuple[float, float]
    ) -> None:
        """Draw means.

        Args:
            edges: ``(n + 1,)`` limits of the steps [image pixel].
            means: ``(n,)`` heights, NaN where there is none.
            limits: of the image's axis [image pixel].
        """
        self.edges, self.means, self._limits = edges, means, limits
        self.update()

    def clear(self) -> None:
        """Draw an empty frame."""
        self.show_means(np.empty(0), np.empty(0), (0.0, 1.0))

    def paintEvent(self, a0: QtGui.QPaintEvent | None) -> None:
        """Draw frame, curve, and its largest value."""
        painter = QtGui.QPainter(self)
        along = (self.height() if self._vertical else self.width()) - self._before - self._after
        thick = THICKNESS - 8
        area = QtCore.QRect(self._before, 2, along, thick)
        if self._vertical:
            area = QtCore.QRect(2, self._before, thick, along)
        theme = theme_of(self)
        painter.fillRect(area, QtGui.QColor(theme.background))
        painter.setPen(QtGui.QColor(theme.text))
        painter.drawRect(area)
        finite = self.means[np.isfinite(self.means)]
        if not finite.size or along < 2:
            return
        low, high = min(0.0, float(finite.min())), float(finite.max())
        painter.setClipRect(area)
        painter.setPen(QtGui.QColor(theme.line))
        painter.drawPath(self._curve(along, thick, low, high))
        painter.setPen(QtGui.QColor(theme.faint))
        font = painter.font()
        font.setPointSizeF(0.8 * font.pointSizeF())
        painter.setFont(font)
        corner = QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignTop
        inner, number = area.adjusted(3, 1, -3, -1), f"{high:.3g}"
        # The curve may end there.
        veil = QtGui.QColor(theme.background)
        veil.setAlpha(_VEIL)
        painter.fillRect(painter.boundingRect(inner, int(corner), number), veil)
        painter.drawText(inner, int(corner), number)

    def _curve(self, along: int, thick: int, low: float, high: float) -> QtGui.QPainterPath:
        first, last = self._limits
        position = self._before + (self.edges - first) / ((last - first) or 1.0) * along
        height = (self.means - low) / ((high - low) or 1.0) * 0.92 * thick + 2
        path = QtGui.QPainterPath()
        joined = False
        for start, end, value in zip(position[:-1], position[1:], height, strict=True):
            if np.isnan(value):
                joined = False
                continue
            for place in (start, end):
                point = (value + 1, place) if self._vertical else (place, thick + 2 - value)
                path.lineTo(*point) if joined else path.moveTo(*point)
                joined = True
        return path


def mean_of_valid(values: NDArray[np.float32], axis: int) -> NDArray[np.float64]:
    """Return means over an axis without masked (NaN) values; NaN where all are masked."""
    valid = np.isfinite(values)
    number = valid.sum(axis)
    total = np.where(valid, values, 0).sum(axis, dtype=np.float64)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def visible_pixels(low: float, high: float, origin: float, scale: float, size: int) -> slice:
    """Return which values along one axis lie within its limits."""
    first = int(np.clip(np.floor((low - origin) / scale), 0, size))
    last = int(np.clip(np.ceil((high - origin) / scale), 0, size))
    return slice(first, max(first, last))
