"""Thresholds, results of the photon detection, and whether raw data is saved."""

from typing import ClassVar

import numpy as np
from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.device_link.roi_edit import shown_photon_roi
from femtotango.gui.device_link.shown import finds_photons
from femtotango.gui.device_link.watched import PHOTONS
from femtotango.gui.panels.corrections import CorrectionSettings, CorrectionState
from femtotango.gui.panels.device_widget import DeviceWidget, InputWidget
from femtotango.gui.panels.fields import CheckField
from femtotango.gui.panels.form import FieldForm
from femtotango.gui.plots.theme import LIGHT, Theme, theme_of

_PHOTON_FIELDS = (
    ("PhotonThreshold", 5.0),
    ("EnergyThreshold", 10.0),
    ("ViewThreshold", 10.0),
    ("PileupThreshold", 10.0),
    ("MaxPileup", 0.005),
    ("MaxHitDensity", 0.005),
    ("HotPixelRatio", 0.05),
    ("WritePhotons", None),
)
_CAMERA_FIELDS = (("Background", 1.0), ("CmosThreshold", 1.0))


def trust_text(
    trusted: bool, reason: str, searched: bool, limited: bool, theme: Theme = LIGHT
) -> tuple[str, str]:
    """Return what is said about the photons, and its colour; empty: that of all text.

    Args:
        trusted: whether they are what the detector saw.
        reason: why not, or why raw data must be kept all the same.
        searched: whether photons are searched in the images of this camera.
        limited: whether there is a photon ROI; without one, no photons are searched.
        theme: colours of the window.
    """
    if trusted:
        # The reason tells then why raw data must be kept.
        return (reason, theme.warning) if reason else ("Photons are trusted.", theme.good)
    if not searched:
        return "No photon detection with this camera.", ""
    if not limited:
        return "No photon detection: draw a photon ROI.", ""
    return (f"Photons are not trusted: {reason}", theme.warning) if reason else ("", "")


class CameraSettings(FieldForm):
    """Settings that turn raw pixels of the CMOS cameras into the image."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(_CAMERA_FIELDS, parent)


class PhotonSettings(FieldForm):
    """Thresholds of the single-photon detection."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(_PHOTON_FIELDS, parent)


class PhotonState(InputWidget):
    """Counts, trust, file, and the switch for raw data with the reason when it is refused."""

    watches: ClassVar[frozenset[str]] = PHOTONS | {"Detector", "PhotonRoi"}

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.counts = QtWidgets.QLabel()
        self.trust = QtWidgets.QLabel()
        self.file = QtWidgets.QLabel()
        self.save_raw = CheckField("SaveRaw", "the camera writes raw frames")
        self.save_raw.entered.connect(self._switch_raw)
        self.refusal = QtWidgets.QLabel()
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        # The switch stands first: it must not move below the mouse when a text changes.
        for label in (self.save_raw, self.refusal, self.counts, self.trust, self.file):
            if isinstance(label, QtWidgets.QLabel):
                label.setWordWrap(True)
                label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
            layout.addWidget(label)
        self.refusal.setVisible(False)

    def refresh(self, names: frozenset[str]) -> None:
        """Show the new values."""
        value = self.link.value
        self.counts.setText(
            f"{value('PhotonCount', 0)} photons, "
            f"{_percent(value('PileupFraction'))} piled up, "
            f"density {_number(value('HitDensity'))}, "
            f"{value('SkippedFrames', 0)} frames skipped"
        )
        text, color = trust_text(
            bool(value("Trusted", False)),
            value("TrustReason", ""),
            finds_photons(value("Detector", "")),
            shown_photon_roi(self.link) is not None,
            theme_of(self),
        )
        self.trust.setText(text if value("Trusted") is not None else "")
        self.trust.setStyleSheet(f"color: {color}" if color else "")
        path = value("PhotonFile", "")
        self.file.setText(path.rsplit("/", 1)[-1])
        self.file.setToolTip(path)
        self.file.setVisible(bool(path))
        if not self.link.is_pending("SaveRaw"):
            saved = value("SaveRaw")
            self.save_raw.show_value(saved)
            self.save_raw.setToolTip(
                "SaveRaw: the camera writes raw frames."
                if saved is not None
                else "SaveRaw: no camera; set the property BalorDevice to its name."
            )

    def _switch_raw(self, on: bool) -> None:
        self._refused("")
        self.link.call(
            lambda proxy: proxy.write_attribute("SaveRaw", on),
            key="write SaveRaw",
            rereads=("SaveRaw",),
            done=lambda _: self._refused(""),
            failed=self._refused,
        )

    def _refused(self, reason: str) -> None:
        self.refusal.setText(reason)
        self.refusal.setStyleSheet(f"color: {theme_of(self).error}")
        self.refusal.setVisible(bool(reason))
        if reason:
            self.link.failed.emit(reason)


class SettingsPanel(DeviceWidget):
    """All settings, in two tabs."""

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.state, self.photons, self.camera = PhotonState(), PhotonSettings(), CameraSettings()
        self.corrections, self.corrected = CorrectionState(), CorrectionSettings()
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.addTab(_page(self.state, self.photons), "Photons")
        self.tabs.addTab(_page(self.camera, self.corrections, self.corrected), "Camera")
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        super().setModel(model, key=key)
        for part in (self.state, self.photons, self.camera, self.corrections, self.corrected):
            part.setModel(model)


def _page(*parts: QtWidgets.QWidget) -> QtWidgets.QScrollArea:
    page = QtWidgets.QWidget()
    layout = QtWidgets.QVBoxLayout(page)
    layout.setContentsMargins(6, 4, 6, 4)
    for part in parts:
        layout.addWidget(part)
    layout.addStretch(1)
    area = QtWidgets.QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(page)
    return area


def _percent(share: float | None) -> str:
    return "–" if share is None or np.isnan(share) else f"{100 * share:.2g} %"


def _number(value: float | None) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.2g}"
