"""The table of ROIs: names, pixels, what is measured; draw, rename, change, compare, delete."""

from typing import ClassVar

import numpy as np
from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.device_link import roi_edit
from femtotango.gui.device_link.roi_values import RoiValues
from femtotango.gui.device_link.shown import (
    cameras_of_rois,
    finds_photons,
    shown_colors,
    shown_image,
)
from femtotango.gui.device_link.watched import CAMERAS, IMAGE
from femtotango.gui.panels.cells import CheckedCells
from femtotango.gui.panels.device_widget import InputWidget
from femtotango.gui.panels.roi_compare import RoiCompare, comparison
from femtotango.gui.plots.colors import PHOTON_ROI
from pipeline.model.roi import Roi, RoiError

_PLACE = ("x", "y", "width", "height")
_COLUMNS = (
    *("name", *_PLACE),
    *("mean", "sum", "max", "spot x", "spot y", "pixels"),
)
_HEADERS = (*("Name", "x", "y", "w", "h"), *("Mean", "Sum", "Max", "Spot x", "Spot y", "Pixels"))
_VALUES = {
    "mean": "mean",
    "sum": "sum",
    "max": "max",
    "spot x": "x",
    "spot y": "y",
    "pixels": "pixels",
}
"""What is measured, by column."""
_SHOWN = {
    "place and mean": (*_PLACE, "mean"),
    "newest frame": ("mean", "sum", "max", "spot x", "spot y"),
    "shown image": ("mean", "sum", "max", "spot x", "spot y", "pixels"),
}
"""Columns beside the name, by what the user wants to see."""
_OF_IMAGE = "shown image"
_WIDTH, _VALUE_WIDTH = 35, 60
_VALUE_LENGTH = 9
_DRAW_PHOTONS = "Press, then drag a rectangle in the image: photons are detected inside it."
_NO_PHOTONS = "No photons are searched in the images of this camera."
_READ_ONLY = QtCore.Qt.ItemFlag.ItemIsEnabled


class RoiTable(InputWidget):
    """All ROIs of the device.

    Signals:
        draw: the next drag in the image draws a ROI (false) or the photon ROI (true).
        selected: name of the chosen ROI; empty: none.
    """

    draw = QtCore.Signal(bool)
    selected = QtCore.Signal(str)
    watches: ClassVar[frozenset[str]] = (
        frozenset({"Rois", "PhotonRoi", "RoiNames", "RoiMeans", "ScanFrames", CAMERAS}) | IMAGE
    )

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self._requested = ""
        self.table = QtWidgets.QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_HEADERS)
        self.table.setToolTip("Double-click to rename or change; Delete removes.")
        self.table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        header, rows = self.table.horizontalHeader(), self.table.verticalHeader()
        if header is not None:
            header.setSectionResizeMode(0, QtWidgets.QHeaderView.ResizeMode.Stretch)
            for column, name in enumerate(_COLUMNS[1:], start=1):
                self.table.setColumnWidth(column, _WIDTH if name in _PLACE else _VALUE_WIDTH)
            header.setMinimumSectionSize(_WIDTH)
        if rows is not None:
            rows.setVisible(False)
            rows.setDefaultSectionSize(22)
        self.table.setMinimumHeight(90)
        font = self.table.font()
        font.setPointSizeF(0.9 * font.pointSizeF())
        self.table.setFont(font)
        self.table.itemChanged.connect(self._edited)
        self._cells = CheckedCells(self.table, self._problem)
        self._cells.refused.connect(lambda reason: self.link.failed.emit(reason))
        self.table.setItemDelegate(self._cells)
        self.table.itemSelectionChanged.connect(lambda: self.selected.emit(self.chosen))
        delete = QtWidgets.QShortcut(QtGui.QKeySequence.StandardKey.Delete, self.table)
        delete.setContext(QtCore.Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.delete_chosen)
        self.values = RoiValues(self)
        self.values.changed.connect(self._show_values)
        self.shown = QtWidgets.QComboBox()
        self.shown.addItems(list(_SHOWN))
        self.shown.setToolTip(
            "What the table shows: values of the newest frame, or of the shown image, where ROIs "
            "that were drawn after the scan have values too."
        )
        self.shown.currentTextChanged.connect(self._choose_columns)
        self.compare_button = QtWidgets.QPushButton("Compare …")
        self.compare_button.setToolTip("Subtract or divide by another ROI, shot by shot.")
        self.compare_button.clicked.connect(self._compare)
        self.compare = RoiCompare(self)
        self.draw_button = QtWidgets.QPushButton("Draw ROI")
        self.draw_button.setToolTip("Press, then drag a rectangle in the image.")
        self.photon_button = QtWidgets.QPushButton("Draw photon ROI")
        self.photon_button.setToolTip(_DRAW_PHOTONS)
        for button, photons in ((self.draw_button, False), (self.photon_button, True)):
            button.setCheckable(True)
            button.clicked.connect(lambda _checked, photons=photons: self.draw.emit(photons))
        self.delete_button = QtWidgets.QPushButton("Delete")
        self.delete_button.clicked.connect(self.delete_chosen)
        self.clear_button = QtWidgets.QPushButton("Clear all")
        self.clear_button.clicked.connect(self._ask_to_clear)
        self.question = QtWidgets.QMessageBox(self)
        self.question.setWindowTitle("Clear all ROIs")
        self.question.setIcon(QtWidgets.QMessageBox.Icon.Question)
        self._clear = self.question.addButton(
            "Clear all", QtWidgets.QMessageBox.ButtonRole.AcceptRole
        )
        self.question.setDefaultButton(
            self.question.addButton(QtWidgets.QMessageBox.StandardButton.Cancel)
        )
        self.question.buttonClicked.connect(self._answered)
        self.photons_off = QtWidgets.QPushButton("Off")
        self.photons_off.setToolTip("Remove the photon ROI: no photon detection.")
        self.photons_off.clicked.connect(lambda: roi_edit.set_photon_roi(self.link, None))
        self.photons = QtWidgets.QLabel()
        self.photons.setStyleSheet(f"color: {PHOTON_ROI}")
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.draw_button, 0, 0)
        layout.addWidget(self.delete_button, 0, 1)
        layout.addWidget(self.clear_button, 0, 2)
        layout.addWidget(self.shown, 1, 0, 1, 2)
        layout.addWidget(self.compare_button, 1, 2)
        layout.addWidget(self.table, 2, 0, 1, 3)
        layout.addWidget(self.photon_button, 3, 0, 1, 2)
        layout.addWidget(self.photons_off, 3, 2)
        layout.addWidget(self.photons, 4, 0, 1, 3)
        layout.setRowStretch(2, 1)
        self._choose_columns(self.shown.currentText())

    @property
    def chosen(self) -> str:
        """Name of the chosen ROI; empty: none."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        return self._name(min(rows)) if rows else ""

    def choose(self, name: str) -> None:
        """Select the row of a ROI, or as soon as it exists; empty: none."""
        self._requested = name
        with QtCore.QSignalBlocker(self.table):
            self.table.clearSelection()
            for row in range(self.table.rowCount()):
                if name and self._name(row) == name:
                    self.table.selectRow(row)

    def show_drawing(self, drawing: bool) -> None:
        """Release the buttons when drawing has ended."""
        if not drawing:
            self.draw_button.setChecked(False)
            self.photon_button.setChecked(False)

    def delete_chosen(self) -> None:
        """Delete the chosen ROIs."""
        rows = sorted({index.row() for index in self.table.selectedIndexes()})
        for name in [self._name(row) for row in rows]:
            roi_edit.remove_roi(self.link, name)

    def _compare(self) -> None:
        name = self.chosen or next(iter(roi_edit.shown_rois(self.link)), "")
        self.compare.ask(self.link, name)

    def _choose_columns(self, shown: str) -> None:
        for column, name in enumerate(_COLUMNS[1:], start=1):
            self.table.setColumnHidden(column, name not in _SHOWN[shown])
        if self._link is not None:
            self.values.choose(self.link, shown == _OF_IMAGE)

    def _ask_to_clear(self) -> None:
        names = list(roi_edit.shown_rois(self.link))
        if not names:
            return
        what = "the ROI" if len(names) == 1 else f"all {len(names)} ROIs"
        self.question.setText(f"Remove {what}? They go for everybody who looks at this device.")
        self.question.open()

    def _answered(self, button: QtWidgets.QAbstractButton) -> None:
        if button is self._clear:
            roi_edit.clear_rois(self.link)

    def refresh(self, names: frozenset[str]) -> None:
        """Show ROIs, and ask for what is measured in them, unless the user is typing."""
        image = shown_image(self.link)
        self.draw_button.setEnabled(image is not None)
        searched = image is not None and finds_photons(image.detector)
        self.photon_button.setEnabled(searched)
        self.photon_button.setToolTip(_DRAW_PHOTONS if searched or image is None else _NO_PHOTONS)
        editing = QtWidgets.QAbstractItemView.State.EditingState
        if self.table.state() == editing or self.link.is_pending(roi_edit.ROIS):
            return
        chosen = self.chosen or self._requested
        rois = roi_edit.shown_rois(self.link)
        if names & {"Rois", CAMERAS}:
            self._show_rois(rois)
            self.choose(chosen)
        self.compare_button.setEnabled(len(rois) > 0)
        self.values.ask(self.link)
        photons = roi_edit.shown_photon_roi(self.link)
        self.photons_off.setEnabled(photons is not None)
        self.photons.setText(
            "Photon ROI: off"
            if photons is None
            else f"Photon ROI: {photons.x}, {photons.y}, {photons.width} × {photons.height}"
        )

    def _show_rois(self, rois: dict[str, Roi]) -> None:
        colors, owners = shown_colors(self.link), cameras_of_rois(self.link)
        with QtCore.QSignalBlocker(self.table):
            self.table.setRowCount(len(rois))
            for row, (name, roi) in enumerate(rois.items()):
                places = map(str, (roi.x, roi.y, roi.width, roi.height))
                texts = (name, *places, *("" for _ in _VALUES))
                for column, text in enumerate(texts):
                    item = QtWidgets.QTableWidgetItem(text)
                    if column:
                        item.setTextAlignment(
                            QtCore.Qt.AlignmentFlag.AlignRight
                            | QtCore.Qt.AlignmentFlag.AlignVCenter
                        )
                    else:
                        item.setData(QtCore.Qt.ItemDataRole.UserRole, name)
                        on = f" on {owners[name]}" if owners[name] else ""
                        item.setToolTip(f"{name}{comparison(roi)}{on}")
                        item.setIcon(_square(colors[name]))
                    if _COLUMNS[column] in _VALUES:
                        item.setFlags(_READ_ONLY)
                    self.table.setItem(row, column, item)

    def _show_values(self) -> None:
        if self.table.state() == QtWidgets.QAbstractItemView.State.EditingState:
            return
        of = "the shown image" if self.values.of_image else "the newest frame"
        with QtCore.QSignalBlocker(self.table):
            for row in range(self.table.rowCount()):
                values = self.values.values.get(self._name(row), {})
                for column, name in enumerate(_COLUMNS):
                    item = self.table.item(row, column)
                    if name in _VALUES and item is not None:
                        value = values.get(_VALUES[name], np.nan)
                        item.setText(_short(value, place=name.startswith("spot")))
                        item.setToolTip(f"{name} of {of}: {value:.10g}")

    def _name(self, row: int) -> str:
        item = self.table.item(row, 0)
        return item.data(QtCore.Qt.ItemDataRole.UserRole) if item is not None else ""

    def _problem(self, cell: QtCore.QModelIndex, text: str) -> str:
        """Say why a text cannot be in a cell."""
        name = self._name(cell.row())
        now = roi_edit.shown_rois(self.link).get(name)
        try:
            if cell.column() == 0:
                roi_edit.checked_name(self.link, name, text)
            elif now is not None:
                roi_edit.changed(name, now, _COLUMNS[cell.column()], text)
        except RoiError as error:
            return str(error)
        return ""

    def _edited(self, item: QtWidgets.QTableWidgetItem) -> None:
        name = self._name(item.row())
        if item.column() == 0:
            if item.text() != name:
                roi_edit.rename_roi(self.link, name, item.text().strip())
            return
        now = roi_edit.shown_rois(self.link).get(name)
        if now is None:
            return
        try:
            roi = roi_edit.changed(name, now, _COLUMNS[item.column()], item.text())
        except ValueError as error:
            self.link.refuse(str(error), roi_edit.ROIS)
            return
        roi_edit.set_roi(self.link, name, roi)


def _short(value: float, place: bool) -> str:
    """Write a value that fits its column; places with hundredths of a pixel."""
    if np.isnan(value):
        return "–"
    text = f"{value:.2f}" if place else f"{value:.4g}"
    return text if len(text) <= _VALUE_LENGTH else f"{value:.1e}"


def _square(color: str) -> QtGui.QIcon:
    pixels = QtGui.QPixmap(10, 10)
    pixels.fill(QtGui.QColor(color))
    return QtGui.QIcon(pixels)
