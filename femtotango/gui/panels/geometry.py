"""Detector position, photon energy, and the q values whose rings are drawn."""

import math
from typing import ClassVar

from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.device_link.history import ValueChange
from femtotango.gui.device_link.shown import shown_image
from femtotango.gui.device_link.watched import GEOMETRY, GEOMETRY_CAMERA, IMAGE
from femtotango.gui.numbers import number_from
from femtotango.gui.panels.cells import CheckedCells
from femtotango.gui.panels.device_widget import DeviceWidget, InputWidget
from femtotango.gui.panels.form import FieldForm
from femtotango.gui.panels.ring_menu import RingMenu
from femtotango.gui.plots.colors import line_color
from femtotango.gui.plots.theme import theme_of

_STEPS = (
    ("PhotonEnergy", 0.1),
    ("Distance", 0.001),
    ("Tilt", 0.1),
    ("Rotation", 1.0),
    ("BeamX", 1.0),
    ("BeamY", 1.0),
)
_CALIBRANTS = ("LaB6", "Si", "CeO2", "AgBh", "alpha_Al2O3", "Au", "Ni", "W")
"""Suggestions; any calibrant of pyFAI may be typed."""


def q_value_from(text: str) -> float:
    """Read a q value as it is typed [1/Å].

    Raises:
        ValueError: it is no number above 0.
    """
    try:
        q = number_from(text)
    except ValueError as error:
        raise ValueError(f"q value {text!r} is not a number; use one above 0.") from error
    if not 0 < q < math.inf:
        raise ValueError(f"q value {text!r}: expected a number above 0.")
    return q


class GeometryForm(FieldForm):
    """Detector position and photon energy."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(_STEPS, parent)
        assert {name for name, _ in _STEPS} == GEOMETRY


class QTable(InputWidget):
    """The q values; the last, empty row takes a new one, and emptying a row removes it."""

    watches: ClassVar[frozenset[str]] = frozenset({"QValues"})

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = QtWidgets.QTableWidget(0, 1)
        self.table.setHorizontalHeaderLabels(["q [1/Å]"])
        self.table.setToolTip("QValues: rings to draw. Empty a row, or press Delete, to remove it.")
        header = self.table.horizontalHeader()
        if header is not None:
            header.setStretchLastSection(True)
        rows = self.table.verticalHeader()
        if rows is not None:
            rows.setDefaultSectionSize(22)
            rows.setFixedWidth(24)
        self.table.setMinimumHeight(70)
        self.table.itemChanged.connect(self._edited)
        self._cells = CheckedCells(self.table, self._problem)
        self._cells.refused.connect(lambda reason: self.link.failed.emit(reason))
        self.table.setItemDelegate(self._cells)
        delete = QtWidgets.QShortcut(QtGui.QKeySequence.StandardKey.Delete, self.table)
        delete.setContext(QtCore.Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._delete)
        self.calibrant = QtWidgets.QComboBox()
        self.calibrant.setEditable(True)
        self.calibrant.addItems(_CALIBRANTS)
        self.calibrant.setToolTip("Name of a calibrant in pyFAI.")
        self.calibrant.setMinimumContentsLength(5)
        self.use_button = QtWidgets.QPushButton("Use")
        self.use_button.setToolTip("Use this calibrant's lines as q values.")
        self.use_button.setMaximumWidth(48)
        self.use_button.clicked.connect(self.use_calibrant)
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.table, 0, 0, 1, 2)
        layout.addWidget(self.calibrant, 1, 0)
        layout.addWidget(self.use_button, 1, 1)
        layout.setRowStretch(0, 1)

    def refresh(self, names: frozenset[str]) -> None:
        """Show the q values, unless the user is typing one."""
        editing = QtWidgets.QAbstractItemView.State.EditingState
        if self.link.is_pending("QValues") or self.table.state() == editing:
            return
        values = [float(q) for q in self.link.value("QValues", ())]
        with QtCore.QSignalBlocker(self.table):
            self.table.setRowCount(len(values) + 1)
            for row, text in enumerate([*(f"{q:.6g}" for q in values), ""]):
                item = QtWidgets.QTableWidgetItem(text)
                number = QtWidgets.QTableWidgetItem("+")
                if text:
                    item.setData(QtCore.Qt.ItemDataRole.UserRole, values[row])
                    number.setText("●")
                    number.setForeground(
                        QtGui.QColor(line_color(row, theme_of(self).background)).darker(115)
                    )
                self.table.setItem(row, 0, item)
                self.table.setVerticalHeaderItem(row, number)

    def use_calibrant(self) -> None:
        """Use the chosen calibrant's lines as q values."""
        before = list(self.link.value("QValues", ()))
        self.link.history.add(ValueChange("QValues", before, None))
        self.link.command("UseCalibrant", self.calibrant.currentText(), changes=("QValues",))

    def _problem(self, _cell: QtCore.QModelIndex, text: str) -> str:
        """Say why a text is no q value; an empty one removes the row."""
        if not text:
            return ""
        try:
            q_value_from(text)
        except ValueError as error:
            return str(error)
        return ""

    def _edited(self, changed: QtWidgets.QTableWidgetItem) -> None:
        values = []
        for row in range(self.table.rowCount()):
            item = self.table.item(row, 0)
            text = item.text().strip() if item is not None else ""
            if not text:
                continue
            exact = item.data(QtCore.Qt.ItemDataRole.UserRole) if item is not None else None
            try:
                # What is shown is rounded: rows that were not edited keep their exact value.
                values.append(exact if item is not changed and exact else q_value_from(text))
            except ValueError as error:
                self.link.refuse(str(error), "QValues")
                return
        self.link.write("QValues", values)

    def _delete(self) -> None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        values = [float(q) for q in self.link.value("QValues", ())]
        left = [q for row, q in enumerate(values) if row not in rows]
        if len(left) < len(values):
            self.link.write("QValues", left)


class GeometryPanel(DeviceWidget):
    """Detector position and photon energy above, q values below."""

    pick_beam = QtCore.Signal(bool)
    """The next click in the image is the beam centre."""
    ring_style = QtCore.Signal(object)
    """How rings are drawn: a `RingStyle`."""
    watches: ClassVar[frozenset[str]] = IMAGE

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.form = GeometryForm()
        self.q_table = QTable()
        self.hint = QtWidgets.QLabel()
        self.hint.setWordWrap(True)
        self.hint.setVisible(False)
        self.take_over = QtWidgets.QPushButton()
        self.take_over.setToolTip(
            f"{GEOMETRY_CAMERA}: from then on, the detector position is that of this camera."
        )
        self.take_over.setVisible(False)
        self.take_over.clicked.connect(
            lambda: self.link.write(GEOMETRY_CAMERA, self.link.value("Detector", ""))
        )
        self.pick_button = QtWidgets.QPushButton("Pick beam centre")
        self.pick_button.setToolTip("Press, then click on the beam in the image.")
        self.pick_button.clicked.connect(lambda _: self.pick_beam.emit(True))
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(_heading("Detector position"))
        layout.addWidget(self.form)
        layout.addWidget(self.pick_button)
        self.rings = RingMenu()
        self.rings.chosen.connect(self.ring_style.emit)
        line = QtWidgets.QHBoxLayout()
        line.addWidget(_heading("q values"))
        line.addStretch(1)
        line.addWidget(self.rings)
        layout.addLayout(line)
        layout.addWidget(self.hint)
        layout.addWidget(self.take_over)
        layout.addWidget(self.q_table, 1)

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        super().setModel(model, key=key)
        self.form.setModel(model)
        self.q_table.setModel(model)

    def refresh(self, names: frozenset[str]) -> None:
        """Let the beam be picked where there is an image."""
        self._enable()

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Take input only while the device answers."""
        self._enable()

    def _enable(self) -> None:
        self.take_over.setEnabled(self.link.connected)
        self.pick_button.setEnabled(self.link.connected and shown_image(self.link) is not None)

    def explain(self, reason: str) -> None:
        """Show why rings are missing, and offer what helps; empty: none is.

        The device names the attribute to set, here there is a button. Taurus tells of a reason
        before it has set a model.
        """
        words, others, _ = reason.partition(f": set {GEOMETRY_CAMERA}")
        camera = self.link.value("Detector", "") if self._link is not None else ""
        self.take_over.setText(f"Use it for {camera}")
        self.take_over.setVisible(bool(others and camera))
        self.hint.setText(f"{words}." if others else reason)
        self._paint_hint()
        self.hint.setVisible(bool(reason))

    def _paint_hint(self) -> None:
        self.hint.setStyleSheet(f"color: {theme_of(self).warning}")

    def changeEvent(self, a0: QtCore.QEvent | None) -> None:
        """Take another colour when the desktop becomes light or dark."""
        super().changeEvent(a0)
        if a0 is not None and a0.type() == QtCore.QEvent.Type.PaletteChange:
            self._paint_hint()


def _heading(text: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(f"<b>{text}</b>")
    label.setTextFormat(QtCore.Qt.TextFormat.RichText)
    return label
