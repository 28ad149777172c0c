"""The window: geometry left, image in the middle, ROIs and settings right, curves below."""

from pathlib import Path

from taurus.external.qt import QtCore, QtGui, QtWidgets  # before silx, which takes the same Qt

from silx.gui.icons import getQIcon  # isort: skip

from femtotango.gui.connections import connect
from femtotango.gui.device_link.link import link_to
from femtotango.gui.device_link.scan_title import WATCHED, window_title
from femtotango.gui.layout import RememberedLayout
from femtotango.gui.panels.azimuthal import AzimuthalCurve
from femtotango.gui.panels.curves import RoiCurves
from femtotango.gui.panels.geometry import GeometryPanel
from femtotango.gui.panels.histogram import EnergyHistogram
from femtotango.gui.panels.image import ImageWidget
from femtotango.gui.panels.roi_map import RoiMap, RoiMeans
from femtotango.gui.panels.roi_table import RoiTable
from femtotango.gui.panels.settings import SettingsPanel
from femtotango.gui.panels.status import StatusLine
from femtotango.gui.panels.tools import Tools
from femtotango.gui.plots.saving import PICTURES, ask_for_file, with_ending, write_picture
from femtotango.gui.plots.theme import paint_icons, theme_of
from femtotango.gui.shortcuts import Shortcut, install, list_of

_PRINT = "Ctrl+P"
_SIZE = (1280, 800)
"""Of a window that was never open before [screen pixel]."""
_FRAME = QtCore.QSize(8, 32)
"""About what a desktop puts around a window [screen pixel]."""
_LEFT, _RIGHT, _BELOW = 184, 282, 190
"""Sizes of the parts around the image [screen pixel]."""


class ViewerWindow(QtWidgets.QMainWindow):
    """The live viewer of one device.

    Signals:
        closed: the window was closed; dialogs of silx may still be open.
    """

    closed = QtCore.Signal()

    def __init__(self, device: str, settings: QtCore.QSettings | None = None) -> None:
        """Build the window; the device may be away.

        Args:
            device: its name, with or without database.
            settings: where the layout is remembered; None: nowhere.

        Raises:
            DeviceNameError: the text is no device name.
        """
        super().__init__()
        self.link = link_to(device)
        self.tools = Tools()
        self.geometry_panel = GeometryPanel()
        self.image = ImageWidget()
        self.roi_table = RoiTable()
        self.settings = SettingsPanel()
        self.curves = RoiCurves()
        self.map = RoiMap()
        self.means = RoiMeans(self.curves, self.map)
        self.histogram = EnergyHistogram()
        self.azimuthal = AzimuthalCurve()
        self.status_line = StatusLine()
        self.print_action = self._add_print_button()
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.addTab(self.means, "ROI means")
        self.tabs.addTab(self.histogram, "Energy histogram")
        self.tabs.addTab(self.azimuthal, "Azimuthal curve")
        self.tabs.setCornerWidget(self.means.as_curves)
        self.tabs.setDocumentMode(True)
        self._connect()
        self._settings = settings
        self._layout = RememberedLayout(self, self._lay_out(), self.tabs, self.geometry_panel.rings)
        self.resize(first_size(self.screen()))
        if settings is not None:
            self._layout.restore(settings)
        self._show_title(WATCHED)
        self.link.changed.connect(self._show_title)
        for part in (
            self.tools,
            self.geometry_panel,
            self.image,
            self.roi_table,
            self.settings,
            self.curves,
            self.map,
            self.histogram,
            self.azimuthal,
            self.status_line,
        ):
            part.setModel(device)

    def _connect(self) -> None:
        connect(
            {
                "image": self.image,
                "rois": self.roi_table,
                "geometry": self.geometry_panel,
                "tools": self.tools,
            }
        )
        keys = (
            Shortcut("F1", "show this list", lambda: self.keys.open()),
            Shortcut("F11", "full screen, and back", self._toggle_full_screen),
            Shortcut("Ctrl+Z", "undo the newest change of this window", self.link.undo),
            Shortcut(_PRINT, "save a picture of the window", self._ask_to_save_picture),
            Shortcut("Ctrl+0", "show the whole image", lambda: self.image.plot.resetZoom()),
        )
        install(self, keys)
        self.keys = list_of(self, keys)

    def _lay_out(self) -> dict[str, QtWidgets.QSplitter]:
        """Put the parts in their places; return the splitters between them."""
        middle = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        middle.addWidget(self.image)
        middle.addWidget(self.tabs)
        middle.setStretchFactor(0, 5)
        middle.setStretchFactor(1, 1)
        middle.setSizes([10 * _BELOW, _BELOW])
        middle.setChildrenCollapsible(False)
        right = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        right.addWidget(self.roi_table)
        right.addWidget(self.settings)
        right.setChildrenCollapsible(False)
        across = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal)
        for part in (self.geometry_panel, middle, right):
            across.addWidget(part)
        across.setStretchFactor(0, 0)
        across.setStretchFactor(1, 1)
        across.setStretchFactor(2, 0)
        across.setSizes([_LEFT, 10 * _RIGHT, _RIGHT])
        across.setChildrenCollapsible(False)
        centre = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(centre)
        layout.setContentsMargins(4, 2, 4, 0)
        layout.setSpacing(2)
        layout.addWidget(self.tools)
        layout.addWidget(across, 1)
        layout.addWidget(self.status_line)
        self.setCentralWidget(centre)
        return {"across": across, "middle": middle, "right": right}

    def _add_print_button(self) -> QtWidgets.QAction:
        """Put a button for a picture of the window beside the image's other tools."""
        line, view_menu = self.image.plot.tools, self.image.view_menu
        action = QtWidgets.QAction(getQIcon("document-print"), "Print", self)
        action.setToolTip(f"Save a picture of the window, to print it ({_PRINT}).")
        action.triggered.connect(self._ask_to_save_picture)
        before = next(a for a in line.actions() if line.widgetForAction(a) is view_menu)
        line.insertAction(before, action)
        paint_icons(line, theme_of(self))
        return action

    def _ask_to_save_picture(self) -> None:
        dialog = ask_for_file(self, "Save a picture of the window", PICTURES)
        dialog.fileSelected.connect(lambda file: self.save_picture(with_ending(file, "", PICTURES)))

    def save_picture(self, file: Path) -> None:
        """Write a picture of the whole window."""
        try:
            write_picture(file, self)
        except OSError as error:
            self.link.failed.emit(f"Not saved: {error}")
        else:
            self.link.told.emit(f"Saved {file}.")

    def _toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def _show_title(self, changed: frozenset[str]) -> None:
        if changed & WATCHED:
            self.setWindowTitle(window_title(self.link))

    def closeEvent(self, a0: QtGui.QCloseEvent | None) -> None:
        """Remember the layout and emit `closed`."""
        if self._settings is not None:
            self._layout.save(self._settings)
        super().closeEvent(a0)
        self.closed.emit()

    def keyPressEvent(self, a0: QtGui.QKeyEvent | None) -> None:
        """Stop drawing or picking on Escape."""
        if a0 is not None and a0.key() == QtCore.Qt.Key.Key_Escape:
            self.image.rois.stop()
            self.image.stop_picking()
        super().keyPressEvent(a0)


def first_size(screen: QtGui.QScreen | None) -> QtCore.QSize:
    """Return the size of a window that was never open before: all of it is on the screen."""
    size = QtCore.QSize(*_SIZE)
    return size if screen is None else size.boundedTo(screen.availableSize() - _FRAME)
