"""A ROI's means over two movables, and the tab that shows them as a map or as curves."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtCore, QtGui, QtWidgets  # before silx, which takes the same Qt

from silx.gui.colors import Colormap  # isort: skip

from femtotango.gui.device_link.watched import CURVES, MAP
from femtotango.gui.panels.curve_choices import STATISTIC, StatisticBox
from femtotango.gui.panels.curves import RoiCurves
from femtotango.gui.panels.reading_widget import ReadingWidget
from femtotango.gui.plots.curve_plot import CurvePlot

_TOGETHER = ("RoiNames", "MapX", "MapY", "MapLabels", "MapValues")
_PAUSE_MS = 600
"""Shortest pause between two reads: a map may be longer than a curve."""
_VALUES, _POINTS = "map", "points"
_LABELS = ("first movable", "second movable")


class RoiMap(ReadingWidget):
    """The points of a mesh, in whatever order they were measured, coloured by a ROI's mean.

    Signals:
        available: whether there is a scan of two movables.
    """

    available = QtCore.Signal(bool)
    together: ClassVar[tuple[str, ...]] = _TOGETHER
    pause: ClassVar[int] = _PAUSE_MS
    watches: ClassVar[frozenset[str]] = CURVES | MAP | {STATISTIC}

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.plot = CurvePlot(*_LABELS, logarithmic=False)
        self.plot.saved.connect(self.tell_saved)
        self.plot.sigPlotSignal.connect(self._clicked)
        self.roi = QtWidgets.QComboBox()
        self.roi.setToolTip("The ROI that is shown.")
        self.roi.activated.connect(lambda _: self._draw())
        self.readout = QtWidgets.QLabel()
        self.readout.setContentsMargins(6, 0, 0, 0)
        line = QtWidgets.QHBoxLayout()
        self.statistic = StatisticBox()
        line.addWidget(self.statistic)
        line.addWidget(self.roi)
        line.addWidget(self.readout, 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(line)
        layout.addWidget(self.plot, 1)
        self._colormap = Colormap("viridis")
        self._answer: dict[str, Any] = {}
        self._points: NDArray[np.float64] = np.empty((0, 3))
        """``(point, 3)``: positions and value of what is drawn."""

    def refresh(self, names: frozenset[str]) -> None:
        """Read the map if it is visible."""
        self._stale = True
        self.statistic.show_value(self.link)
        if names & MAP:
            self.available.emit(np.size(self.link.value("MapX", ())) > 0)
        if self.isVisible() and not self._again.isActive():
            self._read()

    def showEvent(self, a0: QtGui.QShowEvent | None) -> None:
        """Read what changed while it was hidden."""
        super().showEvent(a0)
        if self._link is not None:
            self._read()

    def _take(self, answer: dict[str, Any]) -> None:
        self._reading, self._answer = False, answer
        names = list(answer["RoiNames"] or ())
        if [self.roi.itemText(i) for i in range(self.roi.count())] != names:
            chosen = self.roi.currentText()
            self.roi.clear()
            self.roi.addItems(names)
            self.roi.setCurrentIndex(max(0, self.roi.findText(chosen)))
        self._draw()
        self._again.start()

    def _draw(self) -> None:
        labels = [*(self._answer.get("MapLabels") or ()), *_LABELS][:2]
        self._points = points_of(self._answer, self.roi.currentText())
        x, y, values = self._points.T
        self.plot.getXAxis().setLabel(labels[0])
        self.plot.getYAxis().setLabel(labels[1])
        self.plot.columns = {labels[0]: x, labels[1]: y, self.roi.currentText() or "mean": values}
        self.plot.remove(_VALUES, kind="scatter")
        self.plot.remove(_POINTS, kind="curve")
        self.readout.setText("")
        if not len(x):
            return
        self.readout.setText(
            f"dark {values.min():.4g}, bright {values.max():.4g}; click on a point for its value"
        )
        self.plot.addScatter(x, y, values, legend=_VALUES, colormap=self._colormap)
        scatter = self.plot.getScatter(_VALUES)
        if scatter is not None:
            kinds = scatter.Visualization
            scatter.setVisualization(kinds.SOLID if spans_area(x, y) else kinds.POINTS)
            scatter.setSymbol("s")
            scatter.setSymbolSize(12)
        self.plot.addCurve(
            x, y, legend=_POINTS, color="#606060", symbol=".", linestyle=" ", resetzoom=False
        )
        self.plot.follow()

    def _clicked(self, event: dict) -> None:
        if event["event"] == "mouseClicked" and event["button"] == "left":
            self.readout.setText(self.describe(float(event["x"]), float(event["y"])))

    def describe(self, x: float, y: float) -> str:
        """Return position and value of the point that is nearest on the screen."""
        if not len(self._points):
            return ""
        (x0, x1), (y0, y1) = self.plot.getXAxis().getLimits(), self.plot.getYAxis().getLimits()
        away = (self._points[:, :2] - (x, y)) / (x1 - x0, y1 - y0)
        nearest = self._points[int(np.argmin((away**2).sum(axis=1)))]
        labels = list(self.plot.columns)
        return "   ".join(f"{n} {v:.6g}" for n, v in zip(labels, nearest, strict=True))


def points_of(answer: dict[str, Any], roi: str) -> NDArray[np.float64]:
    """Return positions and means of one ROI, ``(point, 3)``, of the points that have all three.

    Args:
        answer: attributes by name; they may be of two moments.
        roi: its name.
    """
    names = list(answer.get("RoiNames") or ())
    values = np.asarray(answer.get("MapValues", ()), np.float64)
    if roi not in names or values.ndim != 2 or len(values) <= names.index(roi):
        return np.empty((0, 3))
    axes = [np.asarray(answer[name], np.float64) for name in ("MapX", "MapY")]
    columns = [*axes, values[names.index(roi)]]
    points = min(map(len, columns))
    table = np.stack([column[:points] for column in columns], axis=1)
    return table[np.isfinite(table).all(axis=1)]


def spans_area(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    """Say whether some of the points are not on one line, so that triangles can be drawn."""
    if len(x) < 3:
        return False
    scale = (np.ptp(x) or 1.0, np.ptp(y) or 1.0)
    steps = np.stack([(x - x[0]) / scale[0], (y - y[0]) / scale[1]], axis=1)
    return bool(np.linalg.matrix_rank(steps, tol=1e-6) == 2)


class RoiMeans(QtWidgets.QWidget):
    """The tab of ROI means: a map for two movables, curves for others or on request.

    `as_curves` is the button for that; the window has a place for it.
    """

    def __init__(self, curves: RoiCurves, roi_map: RoiMap) -> None:
        super().__init__()
        self._stack = QtWidgets.QStackedWidget()
        self._stack.addWidget(curves)
        self._stack.addWidget(roi_map)
        self._map = roi_map
        self.as_curves = QtWidgets.QToolButton()
        self.as_curves.setText("as curves")
        self.as_curves.setCheckable(True)
        self.as_curves.setVisible(False)
        self.as_curves.toggled.connect(lambda _: self._choose())
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._stack, 1)
        self._available = False
        roi_map.available.connect(self._set_available)

    def _set_available(self, available: bool) -> None:
        if available != self._available:
            self._available = available
            self.as_curves.setVisible(available)
            self._choose()

    def _choose(self) -> None:
        shows_map = self._available and not self.as_curves.isChecked()
        self._stack.setCurrentIndex(1 if shows_map else 0)
