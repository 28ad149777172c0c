"""The azimuthally integrated intensity over q, with the q values as lines."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.device_link.watched import AZIMUTHAL
from femtotango.gui.panels.device_widget import DeviceWidget
from femtotango.gui.panels.form import FieldForm
from femtotango.gui.plots.colors import line_color
from femtotango.gui.plots.curve_plot import CurvePlot
from femtotango.gui.plots.kept_curves import KeptCurves, SumCurve
from femtotango.gui.plots.theme import theme_of

_EARLIER = ("#d55e00", "#009e73", "#cc79a7", "#999999")
"""Of the sums before, the newest first."""
_PERCENTILE, _HEADROOM = 99.0, 1.5
"""The axis ends at this percentile, times the factor: the direct beam would hide the rings."""


class AzimuthalCurve(DeviceWidget):
    """Intensity of the shown image over q."""

    watches: ClassVar[frozenset[str]] = AZIMUTHAL | {"QValues", "FrameCount"}

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.plot = CurvePlot("q [1/Å]", "intensity")
        self.plot.saved.connect(self.tell_saved)
        self.bins = FieldForm((("AzimuthalBins", 100.0),))
        self.kept = KeptCurves()
        self._drawn: tuple[str, ...] = ()
        self.keep = QtWidgets.QCheckBox("Keep earlier sums")
        self.keep.setToolTip(
            "When another sum begins, the curve of the one before stays, until it is cleared."
        )
        self.keep.toggled.connect(self._switch)
        self.clear = QtWidgets.QPushButton("Clear earlier sums")
        self.clear.clicked.connect(self._clear)
        self.clear.setEnabled(False)
        side = QtWidgets.QWidget()
        side.setMaximumWidth(210)
        below = QtWidgets.QVBoxLayout(side)
        below.setContentsMargins(0, 0, 0, 0)
        for part in (self.bins, self.keep, self.clear):
            below.addWidget(part)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot, 1)
        layout.addWidget(side, 0, QtCore.Qt.AlignmentFlag.AlignTop)

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        super().setModel(model, key=key)
        self.bins.setModel(model)

    def refresh(self, names: frozenset[str]) -> None:
        """Draw curve and lines if they are visible."""
        if not self.isVisible() and not self.kept.keeping:
            return
        if "QValues" in names:
            values = [float(q) for q in self.link.value("QValues", ())]
            self._draw_lines(values)
        if names & (AZIMUTHAL | {"FrameCount"}):
            self._draw()

    def showEvent(self, a0: QtGui.QShowEvent | None) -> None:
        """Draw what changed while it was hidden."""
        super().showEvent(a0)
        if self._link is not None:
            self.refresh(self.watches)

    def _draw_lines(self, values: Sequence[float]) -> None:
        background = theme_of(self).background
        colors = [line_color(i, background) for i in range(len(values))]
        self.plot.draw_lines([("", q, color) for q, color in zip(values, colors, strict=True)])

    def _switch(self, on: bool) -> None:
        self.kept.keeping = on
        self._draw()

    def _clear(self) -> None:
        self.kept.clear()
        self._draw()

    def _draw_kept(self) -> None:
        """Draw the curves of earlier sums, the newest darkest."""
        curves = list(self.kept)
        for name in self._drawn:
            self.plot.remove(name, kind="curve")
        self._drawn = tuple(curve.name for curve in curves)
        for age, curve in enumerate(reversed(curves)):
            self.plot.addCurve(
                curve.x,
                curve.y,
                legend=curve.name,
                color=_EARLIER[min(age, len(_EARLIER) - 1)],
                symbol="",
                linestyle="-",
                resetzoom=False,
                selectable=False,
            )
        self.clear.setEnabled(bool(curves))

    def _see(self, q: np.ndarray, intensity: np.ndarray) -> None:
        """Tell what is kept of the curve now."""
        frames, scan = int(self.link.value("FrameCount", 0)), self.link.value("ScanNumber", 0)
        curve = None
        if len(q):
            name = f"{self.link.value('Detector', '')} until scan {scan}, {frames} frames"
            curve = SumCurve(name, q, intensity)
        self.kept.see(curve, frames)
        self._draw_kept()

    def _draw(self) -> None:
        if self._link is None:
            return
        q, intensity, errors = (
            np.asarray(self.link.value(name, ()), np.float64)
            for name in ("AzimuthalQ", "AzimuthalIntensity", "AzimuthalErrors")
        )
        if len(q) != len(intensity):
            # They are of two snapshots; the other event is on its way.
            return
        self._see(q, intensity)
        if not len(q):
            self.plot.remove("intensity", kind="curve")
            self.plot.columns = {}
            self.plot.show_hint("Set photon energy, distance and beam centre, and take an image.")
            return
        self.plot.show_hint("")
        self.plot.columns = {"q [1/Å]": q, "intensity": intensity}
        if len(errors) == len(q):
            self.plot.columns["error"] = errors
        for earlier in self.kept:
            on_axis = np.interp(q, earlier.x, earlier.y, left=np.nan, right=np.nan)
            self.plot.columns[earlier.name] = on_axis
        yerror = np.nan_to_num(errors) if len(errors) == len(q) and np.any(errors > 0) else None
        self.plot.addCurve(
            q,
            intensity,
            legend="intensity",
            color=theme_of(self).line,
            symbol="",
            linestyle="-",
            yerror=yerror,
            resetzoom=False,
            selectable=False,
        )
        valid = intensity[np.isfinite(intensity)]
        highest = _HEADROOM * float(np.percentile(valid, _PERCENTILE)) if valid.size else 0.0
        self.plot.follow(highest if highest > 0 else None)
