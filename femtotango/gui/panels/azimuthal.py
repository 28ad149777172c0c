"""The azimuthally integrated intensity over q, with the q values as lines."""

from typing import ClassVar

import numpy as np
from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.device_link.watched import AZIMUTHAL
from femtotango.gui.panels.device_widget import DeviceWidget
from femtotango.gui.panels.form import FieldForm
from femtotango.gui.plots.colors import ring_color
from femtotango.gui.plots.curve_plot import CurvePlot

_LINE = "#1f4e9e"
_PERCENTILE, _HEADROOM = 99.0, 1.5
"""The axis ends at this percentile, times the factor: the direct beam would hide the rings."""


class AzimuthalCurve(DeviceWidget):
    """Intensity of the shown image over q."""

    watches: ClassVar[frozenset[str]] = AZIMUTHAL | {"QValues"}

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.plot = CurvePlot("q [1/Å]", "intensity")
        self.plot.saved.connect(self.tell_saved)
        self.bins = FieldForm((("AzimuthalBins", 100.0),))
        self.bins.setMaximumWidth(210)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.bins, 0, QtCore.Qt.AlignmentFlag.AlignTop)

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        super().setModel(model, key=key)
        self.bins.setModel(model)

    def refresh(self, names: frozenset[str]) -> None:
        """Draw curve and lines if they are visible."""
        if not self.isVisible():
            return
        if "QValues" in names:
            values = [float(q) for q in self.link.value("QValues", ())]
            self.plot.draw_lines([("", q, ring_color(i)) for i, q in enumerate(values)])
        if names & AZIMUTHAL:
            self._draw()

    def showEvent(self, a0: QtGui.QShowEvent | None) -> None:
        """Draw what changed while it was hidden."""
        super().showEvent(a0)
        if self._link is not None:
            self.refresh(self.watches)

    def _draw(self) -> None:
        q, intensity, errors = (
            np.asarray(self.link.value(name, ()), np.float64)
            for name in ("AzimuthalQ", "AzimuthalIntensity", "AzimuthalErrors")
        )
        if len(q) != len(intensity):
            # They are of two snapshots; the other event is on its way.
            return
        if not len(q):
            self.plot.remove("intensity", kind="curve")
            self.plot.columns = {}
            self.plot.setGraphTitle("needs photon energy, distance, beam centre and an image")
            return
        self.plot.setGraphTitle("")
        self.plot.columns = {"q [1/Å]": q, "intensity": intensity}
        if len(errors) == len(q):
            self.plot.columns["error"] = errors
        yerror = np.nan_to_num(errors) if len(errors) == len(q) and np.any(errors > 0) else None
        self.plot.addCurve(
            q,
            intensity,
            legend="intensity",
            color=_LINE,
            symbol="",
            linestyle="-",
            yerror=yerror,
            resetzoom=False,
            selectable=False,
        )
        valid = intensity[np.isfinite(intensity)]
        highest = _HEADROOM * float(np.percentile(valid, _PERCENTILE)) if valid.size else 0.0
        self.plot.follow(highest if highest > 0 else None)
