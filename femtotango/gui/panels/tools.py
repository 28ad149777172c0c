"""The buttons at the top: accumulate, reset, continuous mode, files."""

import json
from typing import ClassVar

import tango
from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.device_link import scan_title
from femtotango.gui.device_link.freshness import is_live
from femtotango.gui.device_link.watched import GEOMETRY_CAMERA
from femtotango.gui.panels import setup_menu
from femtotango.gui.panels.device_widget import InputWidget
from femtotango.gui.panels.fields import CheckField
from femtotango.gui.panels.status import ElidedLabel
from pipeline.model.cameras import CAMERAS

_CHANGED_BY_ACCUMULATION = ("Accumulate", "FrameCount", "ImageSum", "ImageMax")
_SCAN = ("State", "Status", "ScanNumber", "ScanFinished", "EventsProcessed", "EventsTotal")
_TITLES = {
    "SaveImage": "Save image",
    "SavePoni": "Save geometry",
    "LoadPoni": "Load geometry",
}
_NORMALIZATIONS = {
    "linear": "linear",
    "√": "sqrt",
    "log": "log",
    "gamma": "gamma",
    "arcsinh": "arcsinh",
}


class Tools(InputWidget):
    """Buttons in one line.

    Signals:
        normalization: how values become colours, by silx's name.
    """

    normalization = QtCore.Signal(str)
    watches: ClassVar[frozenset[str]] = frozenset(
        {"Accumulate", "MaxFilter", "Detector", "State", "EventsTotal", "ScanFinished"}
        | scan_title.WATCHED
    )

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.accumulate = QtWidgets.QPushButton("▶ Accumulate")
        self.accumulate.setCheckable(True)
        self.accumulate.setToolTip("Sum frames over scans; press again to show the newest frame.")
        self.accumulate.setMinimumWidth(130)
        self.accumulate.clicked.connect(self._accumulate)
        self.reset = QtWidgets.QPushButton("Reset sum")
        self.reset.setToolTip("Start a new sum.")
        self.reset.clicked.connect(
            lambda: self.link.command("ResetAccumulation", changes=_CHANGED_BY_ACCUMULATION)
        )
        self.max_filter = CheckField(
            "MaxFilter", "coarse views show the hottest pixel of each block, not the mean"
        )
        self.max_filter.entered.connect(lambda on: self.link.write("MaxFilter", on))
        self.scale = QtWidgets.QComboBox()
        self.scale.addItems(list(_NORMALIZATIONS))
        self.scale.setToolTip("How values become colours; more in the colormap dialog.")
        self.scale.textActivated.connect(
            lambda text: self.normalization.emit(_NORMALIZATIONS[text])
        )
        self.camera = QtWidgets.QComboBox()
        self.camera.addItems(list(CAMERAS))
        self.camera.setToolTip("The camera to show without a scan.")
        self.start = QtWidgets.QPushButton("Go live")
        self.start.setToolTip("StartContinuous: show what the camera sends, without a scan.")
        self.start.setCheckable(True)
        self.start.clicked.connect(self._start)
        self.stop = QtWidgets.QPushButton("Stop")
        self.stop.setToolTip("StopContinuous")
        self.stop.clicked.connect(lambda: self.link.command("StopContinuous", changes=_SCAN))
        self.looked_at = ElidedLabel()
        self.files = QtWidgets.QPushButton("Files")
        self._fill_menu()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(5)
        for part in (self.accumulate, self.reset, _gap(), self.max_filter, self.scale, _gap()):
            layout.addWidget(part)
        layout.addWidget(QtWidgets.QLabel("Continuous"))
        for part in (self.camera, self.start, self.stop):
            layout.addWidget(part)
        layout.addWidget(_gap())
        layout.addWidget(self.looked_at, 1)
        layout.addWidget(self.files)

    def _fill_menu(self) -> None:
        menu = QtWidgets.QMenu(self.files)
        for text, command, ending in (
            ("Save image (NeXus) …", "SaveImage", ".h5"),
            ("Save PONI …", "SavePoni", ".poni"),
            ("Load PONI …", "LoadPoni", ".poni"),
        ):
            action = menu.addAction(text)
            if action is not None:
                action.triggered.connect(
                    lambda _=False, command=command, ending=ending: self._ask(command, ending)
                )
        menu.addSeparator()
        for text, ask in (
            ("Save setup …", setup_menu.ask_to_save),
            ("Load setup …", setup_menu.ask_to_load),
        ):
            action = menu.addAction(text)
            if action is not None:
                action.setToolTip("ROIs, q values and geometry, in a file on this computer.")
                action.triggered.connect(lambda _=False, ask=ask: ask(self, self.link))
        menu.setToolTipsVisible(True)
        self.files.setMenu(menu)

    def show_normalization(self, name: str) -> None:
        """Show what the colour dialog has chosen."""
        words = next((w for w, known in _NORMALIZATIONS.items() if known == name), "")
        self.scale.setCurrentText(words)

    def refresh(self, names: frozenset[str]) -> None:
        """Show new values."""
        scan = scan_title.scan_title(self.link)
        self.looked_at.show_text("\n".join(filter(None, (scan, self.link.name.short))))
        if not self.link.is_pending("Accumulate"):
            on = bool(self.link.value("Accumulate", False))
            self.accumulate.setChecked(on)
            self.accumulate.setText("■ Accumulating" if on else "▶ Accumulate")
        if not self.link.is_pending("MaxFilter"):
            self.max_filter.show_value(self.link.value("MaxFilter"))
        self.start.setChecked(is_live(self.link))
        if "Detector" in names and (detector := self.link.value("Detector", "")):
            self.camera.setCurrentText(detector)

    def save(self, command: str, path: str) -> None:
        """Let the device write or read a file.

        Args:
            command: SaveImage, SavePoni or LoadPoni.
            path: on the device's computer; relative to its OutputFolder.
        """
        done = {
            "SaveImage": f"The device saved the image as {path}.",
            "SavePoni": f"The device saved the geometry as {path}.",
            "LoadPoni": f"The device took the geometry of {path}.",
        }
        camera = self.link.chosen_camera

        def run(proxy: tango.DeviceProxy) -> None:
            if camera and command == "SaveImage":
                proxy.command_inout("SaveCameraImage", json.dumps({"camera": camera, "path": path}))
                return
            proxy.command_inout(command, path)
            if camera and command == "LoadPoni":
                proxy.write_attribute(GEOMETRY_CAMERA, camera)

        self.link.call(
            run,
            rereads=("LastError",),
            done=lambda _: self.link.told.emit(done[command]),
        )

    def _accumulate(self, on: bool) -> None:
        command = "StartAccumulation" if on else "StopAccumulation"
        self.link.command(command, changes=_CHANGED_BY_ACCUMULATION)

    def _start(self) -> None:
        # Pressed while it is live, not while it was asked for.
        self.start.setChecked(is_live(self.link))
        self.link.command("StartContinuous", [self.camera.currentText()], changes=_SCAN)

    def _ask(self, command: str, ending: str) -> None:
        detector, number = (
            self.link.value("Detector", "") or "image",
            self.link.value("ScanNumber", 0),
        )
        path, given = QtWidgets.QInputDialog.getText(
            self,
            _TITLES[command],
            "File on the device's computer, relative to its OutputFolder:",
            text=f"{detector}_{number}{ending}",
        )
        if given and path.strip():
            self.save(command, path.strip())


def _gap() -> QtWidgets.QFrame:
    line = QtWidgets.QFrame()
    line.setFrameShape(QtWidgets.QFrame.Shape.VLine)
    line.setFrameShadow(QtWidgets.QFrame.Shadow.Sunken)
    return line
