"""Detector position, photon energy, and the q values whose rings are drawn."""

from typing import ClassVar

from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.device_link.watched import GEOMETRY
from femtotango.gui.panels.device_widget import DeviceWidget
from femtotango.gui.panels.form import FieldForm
from femtotango.gui.plots.colors import ring_color

_STEPS = (
    ("PhotonEnergy", 0.1),
    ("Distance", 0.001),
    ("Tilt", 0.1),
    ("Rotation", 1.0),
    ("BeamX", 1.0),
    ("BeamY", 1.0),
)
_CALIBRANTS = ("LaB6", "Si", "CeO2", "AgBh", "alpha_Al2O3", "Au", "Ni", "W")
"""Proposals only: whatever pyFAI knows may be typed."""


class GeometryForm(FieldForm):
    """Detector position and photon energy."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(_STEPS, parent)
        assert {name for name, _ in _STEPS} == GEOMETRY


class QTable(DeviceWidget):
    """The q values; the last, empty line takes a new one, an emptied line goes away."""

    watches: ClassVar[frozenset[str]] = frozenset({"QValues"})

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = QtWidgets.QTableWidget(0, 1)
        self.table.setHorizontalHeaderLabels(["q [1/Å]"])
        self.table.setToolTip(
            "QValues: rings to draw. Empty a line, or press Delete, to remove it."
        )
        header = self.table.horizontalHeader()
        if header is not None:
            header.setStretchLastSection(True)
        rows = self.table.verticalHeader()
        if rows is not None:
            rows.setDefaultSectionSize(22)
            rows.setFixedWidth(24)
        self.table.setMinimumHeight(70)
        self.table.itemChanged.connect(self._edited)
        delete = QtWidgets.QShortcut(QtGui.QKeySequence.StandardKey.Delete, self.table)
        delete.setContext(QtCore.Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._delete)
        self.calibrant = QtWidgets.QComboBox()
        self.calibrant.setEditable(True)
        self.calibrant.addItems(_CALIBRANTS)
        self.calibrant.setToolTip("A calibrant, as pyFAI calls it.")
        self.calibrant.setMinimumContentsLength(5)
        self.use_button = QtWidgets.QPushButton("Use")
        self.use_button.setToolTip("Take this calibrant's lines as q values.")
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
                    number.setForeground(QtGui.QColor(ring_color(row)).darker(115))
                self.table.setItem(row, 0, item)
                self.table.setVerticalHeaderItem(row, number)

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Take no input while nobody is there to get it."""
        self.setEnabled(connected)

    def use_calibrant(self) -> None:
        """Take the chosen calibrant's lines as q values."""
        self.link.command("UseCalibrant", self.calibrant.currentText(), changes=("QValues",))

    def _edited(self, changed: QtWidgets.QTableWidgetItem) -> None:
        values = []
        for row in range(self.table.rowCount()):
            item = self.table.item(row, 0)
            text = item.text().strip().replace(",", ".") if item is not None else ""
            if not text:
                continue
            exact = item.data(QtCore.Qt.ItemDataRole.UserRole) if item is not None else None
            try:
                # What is shown is rounded: lines that were not touched go back as they came.
                values.append(exact if item is not changed and exact else float(text))
            except ValueError:
                self.link.refuse(f"q value {text!r} is no number; use one above 0.", "QValues")
                return
        self.link.write("QValues", values)

    def _delete(self) -> None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        values = [float(q) for q in self.link.value("QValues", ())]
        left = [q for row, q in enumerate(values) if row not in rows]
        if len(left) < len(values):
            self.link.write("QValues", left)


class GeometryPanel(DeviceWidget):
    """Detector position above, q values below, as the beamline knows it."""

    pick_beam = QtCore.Signal()
    """The user wants to click on the beam centre in the image."""

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.form = GeometryForm()
        self.q_table = QTable()
        self.hint = QtWidgets.QLabel()
        self.hint.setWordWrap(True)
        self.hint.setVisible(False)
        self.hint.setStyleSheet("color: #a05a00")
        self.pick_button = QtWidgets.QPushButton("Pick beam centre")
        self.pick_button.setToolTip("Then click on the beam in the image.")
        self.pick_button.clicked.connect(self.pick_beam.emit)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(_heading("Detector position"))
        layout.addWidget(self.form)
        layout.addWidget(self.pick_button)
        layout.addWidget(_heading("q values"))
        layout.addWidget(self.hint)
        layout.addWidget(self.q_table, 1)

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        super().setModel(model, key=key)
        self.form.setModel(model)
        self.q_table.setModel(model)

    def explain(self, reason: str) -> None:
        """Show why rings are missing; empty: they are not."""
        self.hint.setText(reason)
        self.hint.setVisible(bool(reason))


def _heading(text: str) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(f"<b>{text}</b>")
    label.setTextFormat(QtCore.Qt.TextFormat.RichText)
    return label
