"""The live image: preview, sharper cut when zoomed, rings, ROIs, and a title."""

import io
from typing import Any, ClassVar

import numpy as np
from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.device_widget import DeviceWidget
from femtotango.gui.image_plot import ImagePlot
from femtotango.gui.link import DeviceLink
from femtotango.gui.rings_overlay import RingsOverlay
from femtotango.gui.roi_overlay import RoiOverlay
from femtotango.gui.watched import IMAGE, PREVIEW, RINGS
from femtotango.gui.zoom import Region, preview_binning, region_for

_SETTLE_MS = 80
"""A view has to stand still so long before its pixels are fetched."""


class ImageWidget(DeviceWidget):
    """Image of one device with everything that is drawn on it."""

    watches: ClassVar[frozenset[str]] = (
        IMAGE | RINGS | {PREVIEW, "MaxFilter", "Accumulate", "Rois", "PhotonRoi"}
    )

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self._shape: tuple[int, int] | None = None
        self._binning = 1
        self._wanted: Region | None = None
        self._asked = False
        self._picking = False
        self.plot = ImagePlot(self)
        self.title = self.plot.title
        self.title.setText("waiting for the device")
        self.rings = RingsOverlay(self.plot)
        self.rois = RoiOverlay(self.plot)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self._settle = QtCore.QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._fetch)
        self.plot.view_changed.connect(self._settle.start)
        self.plot.pointed.connect(self._point)
        self.plot.sigPlotSignal.connect(self._clicked)

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        super().setModel(model, key=key)
        link: DeviceLink | None = self._link
        self.rings.set_link(link)
        self.rois.set_link(link)

    def refresh(self, names: frozenset[str]) -> None:
        """Draw what changed."""
        if names & (IMAGE | {PREVIEW, "MaxFilter"}):
            self._show_preview()
            self._show_title()
        if names & RINGS:
            self.rings.refresh()
        if names & {"Rois", "PhotonRoi"}:
            self.rois.refresh()

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Say that the device is waited for."""
        self.plot.canvas.setEnabled(connected)
        if not connected:
            self.title.setText(f"<b style='color:#a05a00'>waiting for {self.getModel()}</b>")
            self.title.setToolTip(reason)
            # What was asked before may never be answered.
            self._asked = False
        elif self._shape is not None:
            self._show_title()

    # Pixels

    def _show_preview(self) -> None:
        preview = self.link.value(PREVIEW)
        ny, nx = self.link.value("ImageHeight", 0), self.link.value("ImageWidth", 0)
        if preview is None or np.ndim(preview) != 2 or preview.size == 0 or ny < 1 or nx < 1:
            return
        self._shape = (int(ny), int(nx))
        self._binning = preview_binning(self._shape, preview.shape)
        self.plot.show_preview(preview, self._binning, self._shape)
        self._fetch()

    def _fetch(self) -> None:
        """Ask for the pixels of the view, unless the preview shows as much."""
        if self._shape is None:
            return
        self._wanted = region_for(self.plot.view, self._shape, self._binning)
        if self._wanted is None:
            self.plot.hide_region()
        elif not self._asked and self.link.connected:
            self._asked = True
            region = self._wanted
            self.link.call(
                lambda proxy: (region, proxy.command_inout("GetRegion", region.argument)),
                key="region",
                done=self._show_region,
                failed=self._region_failed,
            )

    def _show_region(self, answer: tuple[Region, tuple[str, Any]]) -> None:
        self._asked = False
        region, (_, data) = answer
        pixels = np.load(io.BytesIO(bytes(data)), allow_pickle=False)
        if self._wanted is None:
            return
        if pixels.ndim == 2 and pixels.size:
            self.plot.show_region(
                np.asarray(pixels, np.float32), (region.x, region.y), region.binning
            )
        if region != self._wanted:
            self._fetch()

    def _region_failed(self, reason: str) -> None:
        """Go on with the preview; the next image or view asks again."""
        self._asked = False
        self.plot.hide_region()
        self.link.failed.emit(reason)

    # The beam centre

    def pick_beam(self) -> None:
        """Take the next click in the image as beam centre."""
        self._picking = True
        self.plot.setInteractiveMode("select")
        self.title.setText("click on the beam centre")

    def _clicked(self, event: dict) -> None:
        if not self._picking or event["event"] != "mouseClicked" or event["button"] != "left":
            return
        self._picking = False
        self.plot.setInteractiveMode("zoom")
        # Fit2D counts from the corner of the first pixel, the plot from its centre.
        self.link.write("BeamX", round(float(event["x"]) + 0.5, 2))
        self.link.write("BeamY", round(float(event["y"]) + 0.5, 2))
        self._show_title()

    # Words

    def _show_title(self) -> None:
        link = self.link
        if not link.connected or self._picking:
            return
        count = link.value("FrameCount", 0)
        detector = link.value("Detector", "")
        if not detector or not count:
            self.title.setText("no image yet")
            self.title.setToolTip("")
            return
        unit = link.value("ImageUnit", "")
        total, hottest = link.value("ImageSum", np.nan), link.value("ImageMax", np.nan)
        what = f"sum of {count} frames" if link.value("Accumulate", False) else "newest frame"
        if count > 1:
            what = f"sum of {count} frames"
        self.title.setText(
            f"<b>{detector}</b> &nbsp;·&nbsp; {what} &nbsp;·&nbsp; total {total:.4g} {unit}"
            f" &nbsp;·&nbsp; hottest {hottest:.4g} {unit}"
        )
        self.title.setToolTip("")

    def _point(self, x: float, y: float) -> None:
        value = self.plot.value_at(x, y)
        if value is None:
            self.plot.readout.clear()
            return
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        text = "masked" if np.isnan(value) else f"{value:.4g}"
        self.plot.readout.setText(f"x {column}\ny {row}\n{text}")
