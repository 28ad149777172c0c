"""ROI curves over motor position or frame number, with error bars and the fit."""

import time
from typing import Any, ClassVar

import numpy as np
from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.device_link import roi_edit
from femtotango.gui.device_link.shown import shown_colors
from femtotango.gui.device_link.watched import CAMERAS, CURVES
from femtotango.gui.device_link.watched import FIT as FITTED
from femtotango.gui.panels.curve_choices import (
    CHOICES,
    FIT,
    FIT_MODEL,
    FIT_ROI,
    FitBoxes,
    StatisticBox,
    fit_text,
)
from femtotango.gui.panels.reading_widget import ReadingWidget
from femtotango.gui.panels.roi_compare import comparison
from femtotango.gui.plots.curve_plot import CurvePlot
from femtotango.gui.plots.thinning import thinned
from pipeline.frames.peak_models import SHAPES, smooth_line
from pipeline.model.parameters import MODELS
from pipeline.model.roi import Roi

_FITTED = ("FitCentre", "FitFwhm", "FitHeight", "FitOffset")
_TOGETHER = (
    *("RoiNames", "XLabel", "XAxis", "RoiMeanCurves", "RoiMeanErrors"),
    *(FIT_ROI, FIT_MODEL, "FitStatus", "FitCurve", *FIT, "FitOffset"),
)
_PAUSE_MS = 400
"""Shortest pause between two reads."""
_PAUSE_FACTOR = 3.0
"""After a slow read, the pause is this many times as long as the read …"""
_LONGEST_PAUSE_MS = 2000
"""… but not longer than this: on a busy machine every read is slow."""
_OLD = "#b0b0b0"
_BEFORE = "(before it was moved)"
_FIT = "(fit)"
_MOST_SYMBOLS = 60
"""With more points than this no symbols are drawn: they would overlap."""


class RoiCurves(ReadingWidget):
    """One curve for each ROI, in its colour."""

    together: ClassVar[tuple[str, ...]] = _TOGETHER
    pause: ClassVar[int] = _PAUSE_MS
    watches: ClassVar[frozenset[str]] = CURVES | {"Rois", CAMERAS} | CHOICES | FITTED

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.plot = CurvePlot("", "mean")
        self.plot.saved.connect(self.tell_saved)
        self.legend = QtWidgets.QLabel()
        self.legend.setContentsMargins(6, 0, 0, 0)
        self.legend.setTextFormat(QtCore.Qt.TextFormat.RichText)
        self.legend.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed
        )
        self.statistic, self.fit = StatisticBox(), FitBoxes()
        self.fit_line = QtWidgets.QLabel()
        self.fit_line.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self.fit_line.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.fit_line.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed
        )
        self.fit_line.hide()
        choices = QtWidgets.QHBoxLayout()
        choices.setContentsMargins(0, 0, 4, 0)
        choices.addWidget(self.statistic)
        choices.addWidget(self.fit)
        choices.addWidget(self.legend, 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(choices)
        layout.addWidget(self.fit_line)
        layout.addWidget(self.plot, 1)
        self._requested_at = 0.0
        self._drawn: tuple[str, ...] = ()
        self._colors: dict[str, str] = {}
        self._moves = MovedRois()

    def refresh(self, names: frozenset[str]) -> None:
        """Read the curves if they are visible."""
        self._stale = True
        rois = roi_edit.shown_rois(self.link)
        if "Rois" in names:
            self._moves.see(rois)
        self.statistic.show_value(self.link)
        self.fit.show_value(self.link, list(rois))
        if self.isVisible() and not self._again.isActive() and not self._reading:
            self._read()

    def showEvent(self, a0: QtGui.QShowEvent | None) -> None:
        """Read what changed while it was hidden."""
        super().showEvent(a0)
        if self._stale and self._link is not None:
            self._again.start()

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Read again when the device is back, and take input only while it answers."""
        self.statistic.setEnabled(connected)
        self.fit.setEnabled(connected)
        self._reading, self._stale = False, True
        if connected and self.isVisible():
            self._again.start()

    def _begin_read(self) -> None:
        self._requested_at = time.monotonic()
        self._moves.ask()

    def _take(self, answer: dict[str, Any]) -> None:
        self._reading = False
        names = tuple(answer["RoiNames"] or ())
        x, curves = _numbers(answer["XAxis"], 1), _numbers(answer["RoiMeanCurves"], 2)
        errors = _numbers(answer["RoiMeanErrors"], 2)
        # The attributes may be of two snapshots: cut to the shorter.
        points = min(len(x), curves.shape[1])
        names = names[: len(curves)]
        scan = int(self._link.value("ScanNumber", 0)) if self._link is not None else 0
        colors = shown_colors(self._link) if self._link is not None else {}
        # A ROI that was removed meanwhile keeps the colour that it had.
        self._colors = {n: colors.get(n, self._colors.get(n, _OLD)) for n in names}
        olds = self._moves.points_before(scan, points)
        line = _numbers(answer["FitCurve"], 1)
        # It may be of another snapshot than the curves.
        fitted = str(answer[FIT_ROI] or "") if len(line) == points > 0 else ""
        for name in self._drawn:
            if name not in names or name not in olds:
                self.plot.remove(f"{name} {_BEFORE}", kind="curve")
            if name not in names:
                self.plot.remove(name, kind="curve")
        for index, name in enumerate(names):
            old = olds.get(name, 0)
            if old:
                self._draw_old(name, x[:old], curves[index, :old])
            error = errors[index, old:points] if errors.shape == curves.shape else None
            position, value, spread = thinned(x[old:points], curves[index, old:points], error)
            if spread is not None and not np.isfinite(spread).any():
                spread = None
            self.plot.addCurve(
                position,
                value,
                legend=name,
                color=self._colors[name],
                symbol="o" if name == fitted or len(position) <= _MOST_SYMBOLS else "",
                linestyle=" " if name == fitted else "-",
                yerror=None if spread is None else np.nan_to_num(spread),
                resetzoom=False,
                selectable=False,
            )
        self._drawn = names
        columns = {str(answer["XLabel"] or "frame"): x[:points]}
        for index, name in enumerate(names):
            if old := olds.get(name, 0):
                early, late = curves[index, :points].copy(), curves[index, :points].copy()
                early[old:], late[:old] = np.nan, np.nan
                columns[f"{name} {_BEFORE}"], columns[name] = early, late
            else:
                columns[name] = curves[index, :points]
            if errors.shape == curves.shape:
                columns[f"{name} error"] = errors[index, :points]
        self._draw_fit(answer, fitted, x[:points], line, columns)
        self.plot.columns = columns if names else {}
        rois = roi_edit.shown_rois(self._link) if self._link is not None else {}
        self.legend.setText(
            "&nbsp;&nbsp; ".join(_entry(n, self._colors[n], rois.get(n)) for n in names)
        )
        self.plot.getXAxis().setLabel(str(answer["XLabel"] or "frame"))
        unit = self.statistic.unit
        label = self.statistic.currentText() + (f" [{unit}]" if unit else "")
        self.plot.getYAxis().setLabel(label)
        self.plot.follow()
        took = 1000 * (time.monotonic() - self._requested_at)
        pause = min(max(_PAUSE_MS, _PAUSE_FACTOR * took), _LONGEST_PAUSE_MS)
        self._again.start(int(pause))

    def _draw_fit(
        self,
        answer: dict[str, Any],
        name: str,
        x: np.ndarray,
        line: np.ndarray,
        columns: dict[str, np.ndarray],
    ) -> None:
        """Draw the fitted line, and tell its numbers or why there is none."""
        text = fit_text(answer)
        self.fit_line.setVisible(bool(text))
        self.fit_line.setText(text)
        self.fit_line.setToolTip(str(answer["FitStatus"] or ""))
        model, fitted = MODELS[int(answer[FIT_MODEL] or 0)], tuple(answer[n] for n in _FITTED)
        # They may be of another snapshot than the line.
        known = model in SHAPES and None not in fitted and np.isfinite(fitted).all()
        if name not in self._colors or not known:
            self.plot.remove(_FIT, kind="curve")
            return
        positions, values = smooth_line(model, fitted, x, line)
        self.plot.addCurve(
            positions,
            values,
            legend=_FIT,
            color=self._colors[name],
            symbol="",
            linestyle="-",
            linewidth=2,
            resetzoom=False,
            selectable=False,
        )
        columns[f"{name} {_FIT}"] = line

    def _draw_old(self, name: str, x: np.ndarray, y: np.ndarray) -> None:
        """Draw in grey what a ROI was at its earlier places."""
        position, value, _ = thinned(x, y)
        self.plot.addCurve(
            position,
            value,
            legend=f"{name} {_BEFORE}",
            color=_OLD,
            symbol="",
            linestyle=":",
            resetzoom=False,
            selectable=False,
        )


class MovedRois:
    """How many points of a scan's curves are of the places where ROIs were before."""

    def __init__(self) -> None:
        self._known: dict[str, Roi] = {}
        self._moved: set[str] = set()
        self._asked: set[str] = set()
        self._points: dict[str, int] = {}
        self._scan = -1

    def see(self, rois: dict[str, Roi]) -> None:
        """Note which ROIs have another place."""
        # With what a ROI is compared holds for all points of a scan.
        places = {name: roi.place for name, roi in rois.items()}
        self._moved |= {n for n, roi in places.items() if self._known.get(n, roi) != roi}
        self._known = places

    def ask(self) -> None:
        """Note that curves are requested now: all that was moved until now is in them."""
        self._asked |= self._moved
        self._moved.clear()

    def points_before(self, scan: int, points: int) -> dict[str, int]:
        """Return by ROI how many of the points are of its earlier places.

        Args:
            scan: number of the scan that the curves are of.
            points: in the curves that were requested last.
        """
        if scan != self._scan or points < max(self._points.values(), default=0):
            self._scan = scan
            self._points.clear()
        if points:
            self._points |= dict.fromkeys(self._asked, points)
        self._asked.clear()
        return dict(self._points)


def _entry(name: str, color: str, roi: Roi | None) -> str:
    shown = name + (comparison(roi) if roi is not None else "")
    shown = shown.replace("&", "&amp;").replace("<", "&lt;")
    return f"<span style='color:{color}'>&#9632;</span> {shown}"


def _numbers(value: Any, dimensions: int) -> np.ndarray:
    """Return an attribute as float array, empty when it has no value."""
    if value is None or np.size(value) == 0:
        return np.empty((0,) * dimensions)
    return np.asarray(value, np.float64)
