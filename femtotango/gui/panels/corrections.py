"""Dark level and mask of the camera that is seen: what there is, and buttons to change it."""

import json
import re
from pathlib import PurePath
from typing import ClassVar

from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.device_link.watched import CORRECTIONS
from femtotango.gui.panels.device_widget import InputWidget
from femtotango.gui.panels.form import FieldForm
from femtotango.gui.panels.mask_drawing import open_mask_drawing
from pipeline.model.cameras import CAMERAS
from pipeline.model.dark_request import FEWEST_DARKS, MOST_DARKS

_FRAMES = 50
_FIELDS = (("MaskNoise", 1.0), ("CorrectPolarization", None), ("PolarizationFactor", 0.01))


def file_of(text: str, camera: str) -> str:
    """Return the path of a camera's file; empty: it has none.

    Args:
        text: value of `Dark` or `Mask`, JSON by camera.
        camera: its stream.
    """
    return json.loads(text or "{}").get(camera, {}).get("file", "")


def with_breaks(name: str) -> str:
    """Allow a line to end after each part of a file's name: a long one must not widen the panel."""
    return re.sub("([_-])", "\\1\N{ZERO WIDTH SPACE}", name)


class CorrectionSettings(FieldForm):
    """Settings of what is corrected."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(_FIELDS, parent)


class CorrectionState(InputWidget):
    """The files of the dark level and the mask, and how far a dark level is that is being taken."""

    watches: ClassVar[frozenset[str]] = CORRECTIONS | {"Dark", "Mask", "Detector"}

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.dark_file, self.mask_file = QtWidgets.QLabel(), QtWidgets.QLabel()
        for label in (self.dark_file, self.mask_file):
            label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setSizePolicy(
                QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred
            )
        self.frames = QtWidgets.QSpinBox()
        self.frames.setRange(FEWEST_DARKS, MOST_DARKS)
        self.frames.setValue(_FRAMES)
        self.frames.setSuffix(" frames")
        self.frames.setToolTip("TakeDark: how many of the next frames; a few photons do no harm.")
        self.take = QtWidgets.QPushButton("Take dark")
        self.take.setToolTip("TakeDark: the next frames, without light, are subtracted from then.")
        self.clear_dark = QtWidgets.QPushButton("Clear")
        self.clear_dark.setToolTip("ClearDark: Background is subtracted again.")
        self.load = QtWidgets.QPushButton("Load mask …")
        self.load.setToolTip("LoadMask: what is not 0 in the file is left out.")
        self.draw = QtWidgets.QPushButton("Draw mask …")
        self.draw.setToolTip("Mark bad pixels on the image, save them as a mask and use it.")
        self.clear_mask = QtWidgets.QPushButton("Clear")
        self.clear_mask.setToolTip("ClearMask")
        self.take.clicked.connect(
            lambda: self.link.command("TakeDark", self.frames.value(), changes=("Dark", "Status"))
        )
        self.clear_dark.clicked.connect(lambda: self.link.command("ClearDark", changes=("Dark",)))
        self.load.clicked.connect(self._ask)
        self.draw.clicked.connect(lambda: open_mask_drawing(self, self.link))
        self.clear_mask.clicked.connect(lambda: self.link.command("ClearMask", changes=("Mask",)))
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        # Two beside each other: with three, the panel would be too narrow for them.
        pairs = (
            (self.dark_file, self.clear_dark),
            (self.take, self.frames),
            (self.mask_file, self.clear_mask),
        )
        for row, (left, right) in enumerate(pairs):
            grid.addWidget(left, row, 0)
            grid.addWidget(right, row, 1)
        grid.addWidget(self.load, len(pairs), 0)
        grid.addWidget(self.draw, len(pairs), 1)
        grid.setColumnStretch(0, 1)

    def refresh(self, names: frozenset[str]) -> None:
        """Show the new values."""
        camera = self.link.value("Detector", "")
        dark = file_of(self.link.value("Dark", ""), camera)
        mask = file_of(self.link.value("Mask", ""), camera)
        progress = self.link.value("DarkProgress", -1.0)
        taking = 0 <= progress < 1
        counts = camera in CAMERAS and CAMERAS[camera].photon_counting
        name = with_breaks(PurePath(dark).name) if dark else "Background"
        text = f"Dark level: {name}"
        text = "No dark level with this camera." if counts else text
        self.dark_file.setText(f"Dark level: {100 * progress:.0f} % taken" if taking else text)
        self.dark_file.setToolTip(dark or "The number in Background is subtracted.")
        name = with_breaks(PurePath(mask).name) if mask else "none"
        self.mask_file.setText(f"Mask: {name}")
        self.mask_file.setToolTip(mask)
        self.take.setEnabled(not counts)
        self.frames.setEnabled(not counts)
        self.clear_dark.setEnabled(bool(dark) or taking)
        self.clear_mask.setEnabled(bool(mask))

    def _ask(self) -> None:
        path, accepted = QtWidgets.QInputDialog.getText(
            self, "Load mask", "File on the device's computer, relative to its OutputFolder:"
        )
        if accepted and path:
            self.link.command("LoadMask", path, changes=("Mask",))
