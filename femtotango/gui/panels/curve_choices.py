"""What the ROI curves show: the statistic, and what is fitted to which ROI."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from taurus.external.qt import QtWidgets

from femtotango.gui.device_link.link import DeviceLink
from pipeline.model.parameters import ATTRIBUTES, MODELS
from pipeline.model.roi_statistics import STATISTICS, UNITS

STATISTIC, FIT_ROI, FIT_MODEL = "RoiStatistic", "FitRoi", "FitModel"
CHOICES = frozenset({STATISTIC, FIT_ROI, FIT_MODEL})
_LINES = (("centre", "FitCentre"), ("FWHM", "FitFwhm"), ("height", "FitHeight"))
FIT = tuple(name for _, value in _LINES for name in (value, f"{value}Error"))
"""Numbers of a fit."""


class StatisticBox(QtWidgets.QComboBox):
    """Chooses the statistic that curves and maps show, for everybody."""

    def __init__(self) -> None:
        super().__init__()
        self.addItems(STATISTICS)
        self.setToolTip(f"{STATISTIC}: {ATTRIBUTES[STATISTIC].help}")
        self.setObjectName(STATISTIC)
        self._link: DeviceLink | None = None
        self.activated.connect(self._write)

    def show_value(self, link: DeviceLink) -> None:
        """Show what the device shows."""
        self._link = link
        if not link.is_pending(STATISTIC):
            self.setCurrentIndex(int(link.value(STATISTIC, 0)))

    @property
    def unit(self) -> str:
        """Unit of the chosen statistic; empty: that of the image."""
        return UNITS.get(self.currentText(), "")

    def _write(self, index: int) -> None:
        if self._link is not None:
            self._link.write(STATISTIC, index)


class FitBoxes(QtWidgets.QWidget):
    """Chooses what is fitted, and to the curve of which ROI."""

    def __init__(self) -> None:
        super().__init__()
        self.model = QtWidgets.QComboBox()
        self.model.addItem("no fit")
        self.model.addItems(MODELS[1:])
        self.model.setToolTip(f"{FIT_MODEL}: {ATTRIBUTES[FIT_MODEL].help}")
        self.roi = QtWidgets.QComboBox()
        self.roi.setToolTip(f"{FIT_ROI}: {ATTRIBUTES[FIT_ROI].help}")
        self.roi.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToContents)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.model)
        layout.addWidget(self.roi)
        self._link: DeviceLink | None = None
        self.model.activated.connect(self._write_model)
        self.roi.activated.connect(lambda _: self._write_roi())

    def show_value(self, link: DeviceLink, names: Sequence[str]) -> None:
        """Show what the device fits.

        Args:
            link: to it.
            names: of all ROIs.
        """
        self._link = link
        if link.is_pending(FIT_ROI) or link.is_pending(FIT_MODEL):
            return
        self.model.setCurrentIndex(int(link.value(FIT_MODEL, 0)))
        if [self.roi.itemText(i) for i in range(self.roi.count())] != list(names):
            self.roi.clear()
            self.roi.addItems(list(names))
        # The one that would be fitted, when a model is chosen.
        self.roi.setCurrentIndex(max(0, self.roi.findText(str(link.value(FIT_ROI, "")))))
        self.roi.setVisible(self.model.currentIndex() > 0 and len(names) > 0)

    def _write_model(self, index: int) -> None:
        if self._link is None:
            return
        if index and self._link.value(FIT_ROI, "") != self.roi.currentText():
            self._write_roi()
        self._link.write(FIT_MODEL, index)

    def _write_roi(self) -> None:
        if self._link is not None and self.roi.currentText():
            self._link.write(FIT_ROI, self.roi.currentText())


def fit_text(answer: dict[str, Any]) -> str:
    """Return the numbers of a fit with their errors, or why there is none; empty: none is asked.

    Args:
        answer: attributes by name.
    """
    if not answer.get(FIT_MODEL):
        return ""
    values = [(word, answer.get(name), answer.get(f"{name}Error")) for word, name in _LINES]
    if any(value is None or not np.isfinite(value) for _, value, _ in values):
        status = str(answer.get("FitStatus") or "")
        # That of a fit whose numbers are gone is of the scan before.
        return "" if status.startswith(MODELS[int(answer[FIT_MODEL])]) else status
    numbers = [f"{word} {with_error(value, error)}" for word, value, error in values]
    return f"{answer.get(FIT_ROI)}, {MODELS[int(answer[FIT_MODEL])]}: " + "   ".join(numbers)


def with_error(value: Any, error: Any) -> str:
    """Write a number as far as its error allows, with its error: ``12.2043 ± 0.0004``."""
    value, error = float(value), float("nan" if error is None else error)
    if not np.isfinite(error) or error <= 0:
        return f"{value:.6g}"
    digits = 1 - int(np.floor(np.log10(error)))
    if digits > 9 or abs(value) >= 1e7:
        return f"{value:.5g} ± {error:.2g}"
    digits = max(0, digits)
    return f"{value:.{digits}f} ± {error:.{digits}f}"
