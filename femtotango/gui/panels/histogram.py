"""The energy histogram of single photons, with the thresholds as lines to drag."""

import functools
from typing import ClassVar

import numpy as np
from taurus.external.qt import QtCore, QtGui, QtWidgets  # before silx, which takes the same Qt

from silx.gui.plot.items.marker import XMarker  # isort: skip

from femtotango.gui.device_link.watched import HISTOGRAM
from femtotango.gui.panels.device_widget import DeviceWidget
from femtotango.gui.panels.form import FieldForm
from femtotango.gui.plots.curve_plot import CurvePlot
from pipeline.model.parameters import ATTRIBUTES

THRESHOLDS = {
    "EnergyThreshold": "#7a7a7a",
    "ViewThreshold": "#2e9e3f",
    "PileupThreshold": "#c62828",
}
LIMITS = ("HistogramMin", "HistogramMax")
_RANGE = (("HistogramMin", 100.0), ("HistogramMax", 100.0), ("HistogramBins", 10.0))
_FILL = "#5b8fd6"
_NAMED = 600
"""In a tab that is narrower, the names of the lines would overlap [screen pixel]."""
_HEADROOM = 0.3
"""Of the highest bar, above it."""


class EnergyHistogram(DeviceWidget):
    """Number of photons of this scan over their energy."""

    watches: ClassVar[frozenset[str]] = HISTOGRAM | frozenset(THRESHOLDS) | frozenset(LIMITS)

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.plot = CurvePlot(f"3×3 sum [{ATTRIBUTES['EnergyThreshold'].unit}]", "photons")
        self.plot.saved.connect(self.tell_saved)
        # The names of the lines stand above the bars.
        self.plot.setDataMargins(0.02, 0.02, 0.05, _HEADROOM)
        self.range = FieldForm(_RANGE)
        self.range.setMaximumWidth(210)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.range, 0, QtCore.Qt.AlignmentFlag.AlignTop)
        self.lines = {name: self._new_line(name, color) for name, color in THRESHOLDS.items()}

    def _new_line(self, attribute: str, color: str) -> XMarker:
        line = XMarker()
        line.setName(attribute)
        line.setColor(color)
        line._setDraggable(True)
        line.sigDragFinished.connect(functools.partial(self._dragged, attribute))
        self.plot.addItem(line)
        return line

    def resizeEvent(self, a0: QtGui.QResizeEvent | None) -> None:
        """Name the lines where there is room between them."""
        super().resizeEvent(a0)
        for attribute, line in self.lines.items():
            name = attribute.removesuffix("Threshold").lower()
            line.setText(name if self.width() >= _NAMED else "")

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        super().setModel(model, key=key)
        self.range.setModel(model)

    def refresh(self, names: frozenset[str]) -> None:
        """Draw counts and lines if they are visible."""
        if not self.isVisible():
            return
        for name in names & frozenset(THRESHOLDS):
            threshold = self.link.value(name)
            if threshold is not None and not self.link.is_pending(name):
                self.lines[name].setPosition(float(threshold), 0.0)
        if names & (HISTOGRAM | frozenset(LIMITS)):
            self._draw()

    def showEvent(self, a0: QtGui.QShowEvent | None) -> None:
        """Draw what changed while it was hidden."""
        super().showEvent(a0)
        if self._link is not None:
            self.refresh(self.watches)

    def _draw(self) -> None:
        centres = np.asarray(self.link.value("EnergyAxis", ()), np.float64)
        counts = np.asarray(self.link.value("EnergyHistogram", ()), np.float64)
        if len(centres) != len(counts):
            # They are of two snapshots; the other event is on its way.
            return
        if len(centres) < 2:
            self.plot.remove("photons", kind="histogram")
            self.plot.columns = {}
            low, high = (float(self.link.value(name, 0.0)) for name in LIMITS)
            if low < high:
                self.plot.show_empty(low, high)
            return
        self.plot.columns = {self.plot.getXAxis().getLabel(): centres, "photons": counts}
        half = 0.5 * (centres[1] - centres[0])
        edges = np.append(centres - half, centres[-1] + half)
        self.plot.addHistogram(
            counts, edges, legend="photons", color=_FILL, fill=True, resetzoom=False
        )
        self.plot.follow()

    def _dragged(self, attribute: str) -> None:
        position = self.lines[attribute].getXPosition()
        if position is not None:
            self.link.write(attribute, float(round(position)))
