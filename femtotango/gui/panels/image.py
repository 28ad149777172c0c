"""The live image: preview, finer pixels when zoomed, rings, ROIs, and a title."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.device_link import freshness
from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.shown import cameras, image_is_known, shown_image
from femtotango.gui.device_link.watched import CAMERAS, IMAGE, PREVIEW, RINGS
from femtotango.gui.panels.corrections import file_of
from femtotango.gui.panels.device_widget import DeviceWidget
from femtotango.gui.panels.finer_pixels import Answer, FinerPixels, fetch_all
from femtotango.gui.panels.image_words import (
    age_of_image,
    no_image_versions,
    pixel_words,
    title_versions,
)
from femtotango.gui.panels.view_menu import ViewMenu
from femtotango.gui.plots.image_plot import ImagePlot
from femtotango.gui.plots.ring_style import RingStyle
from femtotango.gui.plots.rings_overlay import RingsOverlay
from femtotango.gui.plots.roi_overlay import RoiOverlay
from femtotango.gui.plots.saving import (
    PIXELS,
    ask_for_file,
    with_ending,
    write_picture,
    write_pixels,
)
from femtotango.gui.plots.shown_as import KeptImage, Part, ShownAs
from femtotango.gui.plots.theme import theme_of
from femtotango.gui.plots.zoom import Region


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
        IMAGE
        | RINGS
        | freshness.WATCHED
        | {PREVIEW, "MaxFilter", "Accumulate", "Rois", "PhotonRoi", "Camera", "Mask"}
    )

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self._shape: tuple[int, int] | None = None
        self._detector = ""
        self._pointed: tuple[float, float] | None = None
        self._binning = 1
        self._picking = False
        self._scan_age = freshness.ScanAge()
        self.plot = ImagePlot(self)
        self.title = self.plot.tools.title
        self.title.show_versions(["waiting for the device"])
        self.rings = RingsOverlay(self.plot)
        self.rois = RoiOverlay(self.plot)
        self.view_menu = ViewMenu(self.plot)
        self.plot.tools.add_before_cameras(self.view_menu)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self._finer = FinerPixels(lambda: self.plot.view, self)
        self._finer.came.connect(self._show_region)
        self._finer.unneeded.connect(self.plot.hide_region)
        self.plot.view_changed.connect(self._finer.view_changed)
        self.plot.pointed.connect(self._move)
        self.plot.tools.camera_chosen.connect(lambda camera: self.link.choose_camera(camera))
        self.plot.sigPlotSignal.connect(self._clicked)
        self.plot.tools.save_action.triggered.connect(self._ask_to_save)
        self.plot.limits.refused.connect(lambda reason: self.link.failed.emit(reason))
        self.view_menu.changed.connect(self._show_other_values)
        self.view_menu.keep.connect(self._keep)
        self.rois.drawing.connect(self.drawing.emit)
        self.rois.selected.connect(self.roi_selected.emit)
        self.rings.explained.connect(self.rings_explained.emit)
        self.plot.normalization_changed.connect(self.normalization_changed.emit)

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        super().setModel(model, key=key)
        link: DeviceLink | None = self._link
        self._finer.set_link(link)
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
        if names & freshness.WATCHED:
            self._show_age()
            if self._shape is None:
                self._show_title()

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Show that the viewer waits for the device."""
        self.plot.canvas.setEnabled(connected)
        self._show_age()
        if not connected:
            waiting = f"waiting for {self.link.name.short}"
            self.title.show_versions([self._warning(waiting), self._warning("waiting")], reason)
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
            self.plot.tools.show_cameras({}, "")
            return
        self.plot.tools.show_cameras({"": "as the device", **{c: c for c in there}}, chosen)

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
        self.plot.show_preview(
            self._values(image.preview, 0, 0, image.binning), image.binning, image.shape
        )
        self.rois.set_visible(True)
        self.rings.set_visible(True)
        self._point()
        self._finer.image_changed(image.detector, image.shape, image.binning)

    def _clear(self) -> None:
        self._shape, self._detector = None, ""
        self._finer.clear()
        self.plot.clear_image()
        self.rois.set_visible(False)
        self.rings.set_visible(False)
        self.stop_picking()

    def _show_region(self, region: Region, pixels: NDArray[np.float32]) -> None:
        values = self._values(pixels, region.x, region.y, region.binning)
        self.plot.show_region(values, (region.x, region.y), region.binning)

    # How values are shown

    @property
    def _shown_as(self) -> ShownAs:
        return self.view_menu.shown_as.of(self._detector, self._shape or (0, 0))

    def _values(
        self, blocks: NDArray[np.float32], x: int, y: int, binning: int
    ) -> NDArray[np.float32]:
        part = Part(x, y, binning, largest=bool(self.link.value("MaxFilter", False)))
        return self._shown_as.values(blocks, part, int(self.link.value("FrameCount", 1)))

    def _show_other_values(self) -> None:
        """Show the image anew: its values are shown in another way."""
        if self._link is None or self._shape is None:
            return
        self.plot.hide_region()
        self._show_image()
        self._show_title()

    def _keep(self) -> None:
        """Get all pixels, to compare other images with them."""
        if self._shape is None or not self.link.connected:
            self.tell_saved(False, "Nothing to keep: there is no image yet.")
            return
        detector, frames = self._detector, int(self.link.value("FrameCount", 1))

        def take(answer: Answer) -> None:
            self.view_menu.take_kept(KeptImage(detector, frames, answer[1]))
            self.tell_saved(True, f"Kept this image of {detector}, {frames} frames.")

        fetch_all(self.link, "keep", self._shape, take)

    def _show_age(self) -> None:
        """Frame the image in grey when it is not of now."""
        there = self._link is not None and self._shape is not None
        scan_age = 0.0 if self._link is None else self._scan_age.of(self._link)
        self.plot.stale.show_age(age_of_image(self.link, scan_age) if there else "")

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

    def style_rings(self, style: RingStyle) -> None:
        """Draw the rings in another way."""
        self.rings.set_style(style)

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
            fetch_all(
                self.link,
                "all pixels",
                self._shape,
                lambda answer: self._write(file, lambda: write_pixels(file, answer[1])),
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
        self.title.show_versions(["click on the beam centre"])

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
            words = self._warning("the pipeline does not answer")
            self.title.show_versions([words], link.value("Status", ""))
            return
        image = shown_image(link)
        if image is None:
            self.title.show_versions(no_image_versions(link))
            return
        self.title.show_versions(title_versions(link, image, self._shown_as))

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
        block = round(self.plot.shown.getScale()[0])
        self.plot.readout.setText(pixel_words(self.link, (x, y), value, block, self._shown_as))

    def _warning(self, text: str) -> str:
        return f"<b style='color:{theme_of(self).warning}'>{text}</b>"
