"""The live image: preview, finer pixels when zoomed, rings, ROIs, and a title."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import tango
from numpy.typing import NDArray
from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.scattering import scattering_at, shown_geometry
from femtotango.gui.device_link.shown import cameras, image_is_known, shown_image
from femtotango.gui.device_link.watched import CAMERAS, IMAGE, PREVIEW, RINGS
from femtotango.gui.panels.corrections import file_of
from femtotango.gui.panels.device_widget import DeviceWidget
from femtotango.gui.plots.image_plot import ImagePlot
from femtotango.gui.plots.rings_overlay import RingsOverlay
from femtotango.gui.plots.roi_overlay import RoiOverlay
from femtotango.gui.plots.saving import (
    PIXELS,
    ask_for_file,
    with_ending,
    write_picture,
    write_pixels,
)
from femtotango.gui.plots.zoom import Region, region_for

_SETTLE_MS = 80
"""The view must not change for this long before its pixels are fetched."""
_RETRY_MS = 2000
"""Pause before pixels are requested again that the device could not send."""


def fetch_region(
    proxy: tango.DeviceProxy, region: Region, camera: str = ""
) -> tuple[Region, NDArray[np.float32]]:
    """Fetch a region of the image, for a job.

    Args:
        proxy: of the device.
        region: which one.
        camera: whose image; empty: the one that the device shows.

    Returns:
        The region and its ``(ny, nx)`` blocks.

    Raises:
        ValueError: the answer is not a two-dimensional array.
    """
    if camera:
        keys = ("x", "y", "width", "height", "binning")
        request = dict(zip(keys, map(int, region.argument), strict=True))
        text = json.dumps({"camera": camera, **request})
        _, data = proxy.command_inout("GetCameraRegion", text)
    else:
        _, data = proxy.command_inout("GetRegion", region.argument)
    pixels = np.load(io.BytesIO(bytes(data)), allow_pickle=False)
    if pixels.ndim != 2:
        raise ValueError(f"GetRegion gave {pixels.ndim} dimensions")
    return region, np.asarray(pixels, np.float32)


class ImageWidget(DeviceWidget):
    """The image with everything that is drawn on it.

    Signals:
        drawing: whether the next drag draws a rectangle.
        roi_selected: name of the ROI that the user selected; empty: none.
        rings_explained: why rings are missing; empty: none is.
        normalization_changed: how values become colours, by silx's name.
    """

    drawing = QtCore.Signal(bool)
    roi_selected = QtCore.Signal(str)
    rings_explained = QtCore.Signal(str)
    normalization_changed = QtCore.Signal(str)
    watches: ClassVar[frozenset[str]] = (
        IMAGE | RINGS | {PREVIEW, "MaxFilter", "Accumulate", "Rois", "PhotonRoi", "Camera", "Mask"}
    )

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self._shape: tuple[int, int] | None = None
        self._detector = ""
        self._pointed: tuple[float, float] | None = None
        self._binning = 1
        self._requested: Region | None = None
        self._fetching = False
        """One request is under way."""
        self._outdated = False
        """View or image changed during the request."""
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
        self._retry = QtCore.QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.setInterval(_RETRY_MS)
        self._retry.timeout.connect(self._fetch)
        self.plot.view_changed.connect(self._settle.start)
        self.plot.pointed.connect(self._move)
        self.plot.camera_chosen.connect(lambda camera: self.link.choose_camera(camera))
        self.plot.sigPlotSignal.connect(self._clicked)
        self.plot.save_action.triggered.connect(self._ask_to_save)
        self.plot.limits.refused.connect(lambda reason: self.link.failed.emit(reason))
        self.rois.drawing.connect(self.drawing.emit)
        self.rois.selected.connect(self.roi_selected.emit)
        self.rings.explained.connect(self.rings_explained.emit)
        self.plot.normalization_changed.connect(self.normalization_changed.emit)

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        super().setModel(model, key=key)
        link: DeviceLink | None = self._link
        self.rings.set_link(link)
        self.rois.set_link(link)

    def refresh(self, names: frozenset[str]) -> None:
        """Draw what changed."""
        if names & (IMAGE | {PREVIEW, "MaxFilter"}):
            self._show_image()
            self._show_title()
        if names & {"Mask", "Detector"}:
            named = file_of(self.link.value("Mask", ""), self.link.value("Detector", ""))
            self.plot.mask_tint.show(bool(named), self.plot.shown)
        if names & RINGS:
            self.rings.refresh()
            self._point()
        if names & {"Rois", "PhotonRoi", "Detector", CAMERAS}:
            self.rois.refresh()
        if names & {"Detector", "Camera", CAMERAS}:
            self._offer_cameras()

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Show that the viewer waits for the device."""
        self.plot.canvas.setEnabled(connected)
        if not connected:
            self.title.setText(f"<b style='color:#a05a00'>waiting for {self.getModel()}</b>")
            self.title.setToolTip(reason)
            return
        self.rings.refresh()
        self.rois.refresh()
        self._show_image()
        self._show_title()

    def _offer_cameras(self) -> None:
        """Let the user choose between the cameras of the scan, when there are several."""
        link, chosen = self.link, self.link.chosen_camera
        there: list[str] = list(dict.fromkeys((*cameras(link), *filter(None, (chosen,)))))
        if len(there) < 2 and not chosen:
            self.plot.show_cameras({}, "")
            return
        self.plot.show_cameras({"": "as the device", **{c: c for c in there}}, chosen)

    # Pixels

    def _show_image(self) -> None:
        """Show the device's image, or none when it has none."""
        if not image_is_known(self.link):
            # What was shown last stays until it is known what there is.
            return
        image = shown_image(self.link)
        if image is None or image.detector != self._detector:
            self._clear()
        if image is None or image.preview is None:
            return
        self._shape, self._detector, self._binning = image.shape, image.detector, image.binning
        self.plot.show_preview(image.preview, image.binning, image.shape)
        self.rois.set_visible(True)
        self._point()
        self._fetch()

    def _clear(self) -> None:
        self._shape, self._detector, self._requested = None, "", None
        self.plot.clear_image()
        self.rois.set_visible(False)
        self.stop_picking()

    def _fetch(self) -> None:
        """Request the pixels of the view, unless the preview is as fine."""
        if self._shape is None or self._link is None:
            return
        self._requested = region = region_for(self.plot.view, self._shape, self._binning)
        if region is None:
            self.plot.hide_region()
        elif self._fetching:
            self._outdated = True
        elif self._link.connected:
            self._fetching, self._outdated = True, False
            camera, detector = self._link.chosen_camera, self._detector
            self._link.call(
                lambda proxy: fetch_region(proxy, region, camera),
                key="region",
                done=lambda answer: self._show_region(answer, detector),
                failed=self._region_failed,
            )

    def _show_region(self, answer: tuple[Region, NDArray[np.float32]], detector: str) -> None:
        self._fetching = False
        region, pixels = answer
        if self._requested is None or self._link is None or self._shape is None:
            return
        if detector != self._detector:
            self._outdated = True
        elif pixels.size:
            self.plot.show_region(pixels, (region.x, region.y), region.binning)
        if self._outdated:
            self._fetch()

    def _region_failed(self, reason: str) -> None:
        """Show the preview, and request again later: a busy pipeline may have been too slow."""
        self._fetching = False
        self.plot.hide_region()
        self._retry.start()
        if self._link is not None and self._link.connected:
            self._link.failed.emit(reason)

    # Requests of other panels

    def draw_roi(self, photons: bool) -> None:
        """Let the next drag draw a ROI or the photon ROI; stop when it would already."""
        if self.rois.manager.isStarted():
            self.rois.stop()
        else:
            self.rois.start(photons)

    def select_roi(self, name: str) -> None:
        """Highlight a ROI; empty: none."""
        self.rois.select(name)

    def normalize(self, name: str) -> None:
        """Choose how values become colours, by silx's name."""
        self.plot.normalization = name

    # Files

    def _ask_to_save(self) -> None:
        dialog = ask_for_file(self, "Save image", PIXELS)
        dialog.fileSelected.connect(
            lambda file: self.save(with_ending(file, dialog.selectedNameFilter(), PIXELS))
        )

    def save(self, file: Path) -> None:
        """Write all pixels of the image, or what is seen when the file ends in ``.png``."""
        if file.suffix.lower() == ".png":
            self._write(file, lambda: write_picture(file, self.plot))
        elif self._shape is None:
            self.tell_saved(False, "Not saved: there is no image yet.")
        else:
            ny, nx = self._shape
            camera = self.link.chosen_camera
            self.link.call(
                lambda proxy: fetch_region(proxy, Region(0, 0, nx, ny, 1), camera),
                key="all pixels",
                done=lambda answer: self._write(file, lambda: write_pixels(file, answer[1])),
            )

    def _write(self, file: Path, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self.tell_saved(False, f"Not saved: {error}")
            return
        self.tell_saved(True, f"Saved {file}.")

    # The beam centre

    def pick_beam(self, pick: bool = True) -> None:
        """Make the next click in the image the beam centre."""
        if not pick or self._shape is None:
            return
        self._picking = True
        self.plot.setInteractiveMode("select")
        self.title.setText("click on the beam centre")

    def stop_picking(self) -> None:
        """Go back to zooming."""
        if self._picking:
            self._picking = False
            self.plot.setInteractiveMode("zoom")
            self._show_title()

    def _clicked(self, event: dict) -> None:
        if (
            not self._picking
            or self._shape is None
            or event["event"] != "mouseClicked"
            or event["button"] != "left"
        ):
            return
        self.stop_picking()
        # Fit2D counts from the corner of the first pixel, the plot from its centre.
        self.link.write("BeamX", round(float(event["x"]) + 0.5, 2))
        self.link.write("BeamY", round(float(event["y"]) + 0.5, 2))

    # Title and readout

    def _show_title(self) -> None:
        link = self.link
        if not link.connected or self._picking:
            return
        if not image_is_known(link):
            self.title.setText("<b style='color:#a05a00'>the pipeline does not answer</b>")
            self.title.setToolTip(link.value("Status", ""))
            return
        image = shown_image(link)
        if image is None:
            self.title.setText("no image yet")
            self.title.setToolTip("")
            return
        count, detector = image.frames, image.detector
        unit = link.value("ImageUnit", "")
        total, hottest = link.value("ImageSum", np.nan), link.value("ImageMax", np.nan)
        what = f"sum of {count} frames" if link.value("Accumulate", False) else "newest frame"
        if count > 1:
            what = f"sum of {count} frames"
        # The box of cameras beside it says which one was chosen.
        name = "" if link.chosen_camera else f"<b>{detector}</b> &nbsp;·&nbsp; "
        self.title.setText(
            f"{name}{what} &nbsp;·&nbsp; total {total:.4g} {unit}"
            f" &nbsp;·&nbsp; hottest {hottest:.4g} {unit}"
        )
        self.title.setToolTip("")

    def _move(self, x: float, y: float) -> None:
        self._pointed = (x, y)
        self._point()

    def _point(self) -> None:
        """Tell the value under the mouse, also when the image has changed below it."""
        if self._pointed is None or self._shape is None:
            self.plot.readout.clear()
            return
        x, y = self._pointed
        value = self.plot.value_at(x, y)
        if value is None:
            self.plot.readout.clear()
            return
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        text = "masked" if np.isnan(value) else f"{value:.4g} {self.link.value('ImageUnit', '')}"
        block = round(self.plot.shown.getScale()[0])
        of_block = ""
        if block > 1:
            kind = "max" if self.link.value("MaxFilter", False) else "mean"
            of_block = f"  {kind} of {block}×{block}"
        self.plot.readout.setText(
            f"x {column}  y {row}\n{text.strip()}{of_block}{self._scattering(x, y)}"
        )

    def _scattering(self, x: float, y: float) -> str:
        """Tell q, angle and spacing of a position; empty while the geometry is not set."""
        geometry = shown_geometry(self.link)
        if geometry is None:
            return ""
        there = scattering_at(geometry, x, y)
        return f"\nq {there.q:.4g} 1/Å  d {there.spacing:.4g} Å\n2θ {there.two_theta:.4g}°"
