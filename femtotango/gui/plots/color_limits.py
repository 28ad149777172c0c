"""The limits of the colour scale, typed beside its bar."""

import numpy as np
from taurus.external.qt import QtCore, QtGui, QtWidgets  # before silx, which takes the same Qt

from silx.gui.colors import Colormap  # isort: skip
from silx.gui.plot.ColorBar import ColorBarWidget  # isort: skip
from silx.gui.plot.items.image import ImageData  # isort: skip

from femtotango.gui.numbers import number_from
from femtotango.gui.plots.colors import REFUSED


class _Limit(QtWidgets.QLineEdit):
    """One limit; Enter, or leaving the field, takes it, Escape brings the old one back."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(f"{name} of the colour scale")
        self.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.setToolTip(f"{self.objectName()}: type a number; empty it for the automatic one.")
        self.setFrame(False)

    def refuse(self, reason: str) -> None:
        """Show that the text cannot be used, and why; empty: it can."""
        self.setStyleSheet(REFUSED if reason else "")
        if reason:
            place = self.mapToGlobal(QtCore.QPoint(0, self.height()))
            QtWidgets.QToolTip.showText(place, reason, self)

    def keyPressEvent(self, a0: QtGui.QKeyEvent | None) -> None:
        """Drop on Escape what was typed."""
        if a0 is not None and a0.key() == QtCore.Qt.Key.Key_Escape:
            self.setModified(False)
            self.refuse("")
            self.clearFocus()
            return
        super().keyPressEvent(a0)


class ColorLimits(QtWidgets.QWidget):
    """Bar of the colour scale, its limits, and a button that makes them automatic.

    Signals:
        refused: the user typed what cannot be a limit; says why.
    """

    refused = QtCore.Signal(str)

    def __init__(self, colormap: Colormap, bar: ColorBarWidget) -> None:
        super().__init__()
        self._colormap, self._bar = colormap, bar
        kept = bar.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        bar.setSizePolicy(kept)
        self._item: ImageData | None = None
        bar.getColorScaleBar().setMinMaxVisible(False)
        self.low, self.high = _Limit("Minimum"), _Limit("Maximum")
        self.auto = QtWidgets.QPushButton("Auto")
        self.auto.setToolTip("Limits that follow the image, without its darkest and brightest 1 %.")
        self.auto.setCheckable(True)
        self.auto.clicked.connect(self._make_automatic)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        for part in (self.high, bar, self.low, self.auto):
            layout.addWidget(part)
        for field in (self.low, self.high):
            field.editingFinished.connect(lambda field=field: self._typed(field))
        colormap.sigChanged.connect(self.refresh)
        self.refresh()

    def show_limits_of(self, item: ImageData) -> None:
        """Show the automatic limits for this image."""
        self._item = item
        self.refresh()

    def refresh(self) -> None:
        """Show the limits, unless one is being typed."""
        self.auto.setChecked(self._colormap.isAutoscale())
        data = None if self._item is None else self._item.getData(copy=False)
        there = data is not None and bool(np.isfinite(data).any())
        # Without an image it would be an empty frame.
        self._bar.setVisible(there)
        low, high = self._colormap.getColormapRange(self._item if there else None)
        for field, value in ((self.low, low), (self.high, high)):
            if not field.isModified():
                field.setText(f"{value:.4g}" if there or not self._colormap.isAutoscale() else "")

    def _make_automatic(self) -> None:
        self._colormap.setVRange(None, None)
        self.refresh()

    def _typed(self, field: _Limit) -> None:
        if not field.isModified():
            return
        try:
            value = number_from(field.text()) if field.text().strip() else None
            low, high = self._colormap.getVMin(), self._colormap.getVMax()
            low, high = (value, high) if field is self.low else (low, value)
            problem = self._problem(low, high)
            if problem:
                raise ValueError(problem)
        except ValueError as error:
            field.refuse(str(error))
            self.refused.emit(f"Colour scale: {error}")
            return
        field.refuse("")
        field.setModified(False)
        self._colormap.setVRange(low, high)
        self.refresh()

    def _problem(self, low: float | None, high: float | None) -> str:
        for value in (low, high):
            if value is not None and not np.isfinite(value):
                return f"{value:g} is not finite."
        if low is not None and high is not None and low >= high:
            return f"the minimum {low:g} must be below the maximum {high:g}."
        if self._colormap.getNormalization() == Colormap.LOGARITHM and (
            (low is not None and low <= 0) or (high is not None and high <= 0)
        ):
            return "a logarithmic scale needs limits above 0."
        return ""
