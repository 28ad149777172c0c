"""The ROIs on the image: drawn and changed with the mouse, and always those of the device."""

import functools
import math
from dataclasses import replace

from taurus.external.qt import QtCore  # before silx, which takes the same Qt

from silx.gui.plot.items.roi import RectangleROI  # isort: skip
from silx.gui.plot.tools.roi import RegionOfInterestManager  # isort: skip

from femtotango.gui.device_link import roi_edit
from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.shown import (
    photon_roi_of_shown_camera,
    rois_of_shown_camera,
    shown_colors,
)
from femtotango.gui.plots.colors import PHOTON_ROI, roi_color
from femtotango.gui.plots.image_plot import ImagePlot
from pipeline.model.roi import Roi

PHOTONS = "photon ROI"
"""Label of the photon ROI; no ROI can have this name."""
_MANY = 15
"""With more ROIs than this only the selected one has handles: they would hide the image."""
_HANDLE = 5
_BEHIND_NAMES = "#202020c0"


def roi_of(shape: RectangleROI) -> Roi:
    """Return the whole pixels that a drawn rectangle covers, at least one."""
    (left, bottom), (width, height) = shape.getOrigin(), shape.getSize()
    x0, y0 = math.floor(left + 1.0), math.floor(bottom + 1.0)
    x1, y1 = math.floor(left + width + 1.0), math.floor(bottom + height + 1.0)
    return Roi(x0, y0, max(1, x1 - x0), max(1, y1 - y0))


class RoiOverlay(QtCore.QObject):
    """Keep the rectangles on a plot and the ROIs of a device the same.

    Signals:
        selected: name of the ROI that the user selected; empty: none.
        drawing: whether the next drag draws a rectangle.
    """

    selected = QtCore.Signal(str)
    drawing = QtCore.Signal(bool)

    def __init__(self, plot: ImagePlot) -> None:
        super().__init__(plot)
        self._link: DeviceLink | None = None
        self._shapes: dict[str, RectangleROI] = {}
        self._photons: RectangleROI | None = None
        self._draws_photons = False
        self._new: RectangleROI | None = None
        self._later = QtCore.QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._send_new)
        self._syncing = False
        self._visible = True
        self.manager = RegionOfInterestManager(plot)
        self.manager.setColor("white")
        self.manager.sigInteractiveRoiFinalized.connect(self._drawn)
        self.manager.sigInteractiveModeFinished.connect(lambda: self.drawing.emit(False))
        self.manager.sigRoiAboutToBeRemoved.connect(self._removed)
        self.manager.sigCurrentRoiChanged.connect(self._current_changed)

    def set_link(self, link: DeviceLink | None) -> None:
        """Follow another device."""
        self._link = link
        self.refresh()

    def start(self, photons: bool = False) -> None:
        """Let the next drag on the image draw a ROI.

        Args:
            photons: draw the photon ROI instead of a new one.
        """
        self._draws_photons = photons
        self.manager.start(RectangleROI)
        self.drawing.emit(True)

    def stop(self) -> None:
        """Go back to zooming."""
        self.manager.stop()

    def select(self, name: str) -> None:
        """Highlight a ROI; empty: none."""
        self.manager.setCurrentRoi(self._shapes.get(name))

    def shape(self, name: str) -> RectangleROI | None:
        """Return the rectangle of a ROI, None when it is not drawn."""
        return self._photons if name == PHOTONS else self._shapes.get(name)

    def refresh(self) -> None:
        """Draw the device's ROIs, except one that the user drags or has just changed."""
        if self._link is None or self.manager.isDrawing():
            return
        self._syncing = True
        try:
            if not self._link.is_pending(roi_edit.ROIS):
                self._show_rois(rois_of_shown_camera(self._link), shown_colors(self._link))
            if not self._link.is_pending(roi_edit.PHOTON_ROI):
                self._show_photon_roi(photon_roi_of_shown_camera(self._link))
        finally:
            self._syncing = False

    def set_visible(self, visible: bool) -> None:
        """Show the ROIs, or hide them while there is no image that they lie on."""
        self._visible = visible
        for shape in (*self._shapes.values(), self._photons):
            if shape is not None:
                shape.setVisible(visible)
        if not visible:
            self.stop()

    def _show_rois(self, rois: dict[str, Roi], colors: dict[str, str]) -> None:
        for name in [n for n in self._shapes if n not in rois]:
            self.manager.removeRoi(self._shapes.pop(name))
        for name, roi in rois.items():
            shape = self._shapes.get(name)
            if shape is None:
                shape = self._shapes[name] = self._add(name)
            shape.setColor(colors[name])
            self._place(shape, roi)
        self._set_handles()

    def _show_photon_roi(self, roi: Roi | None) -> None:
        if roi is None:
            if self._photons is not None:
                self.manager.removeRoi(self._photons)
                self._photons = None
            return
        if self._photons is None:
            self._photons = self._add(PHOTONS)
            self._photons.setColor(PHOTON_ROI)
            self._photons.setLineStyle("--")
        self._place(self._photons, roi)

    def _add(self, name: str) -> RectangleROI:
        shape = RectangleROI()
        shape.setName(name)
        shape.setLineWidth(1.5)
        for handle in shape.getHandles():
            handle.setSymbolSize(_HANDLE)
            handle.setBackgroundColor(_BEHIND_NAMES)
        shape.setSelectable(True)
        shape.setEditable(True)
        shape.sigEditingFinished.connect(functools.partial(self._edited, shape))
        self.manager.addRoi(shape, useManagerColor=False)
        shape.setVisible(self._visible)
        return shape

    @staticmethod
    def _place(shape: RectangleROI, roi: Roi) -> None:
        if not shape.isHandleBeingDragged():
            shape.setGeometry(origin=(roi.x - 0.5, roi.y - 0.5), size=(roi.width, roi.height))

    def _set_handles(self) -> None:
        current = self.manager.getCurrentRoi()
        few = len(self._shapes) <= _MANY
        for shape in self._shapes.values():
            if shape.isEditable() != (few or shape is current):
                shape.setEditable(few or shape is current)

    # Actions of the user

    def _drawn(self, shape: RectangleROI) -> None:
        self._new = shape
        # silx has not finished with the rectangle yet.
        self._later.start()

    def _send_new(self) -> None:
        """Send a new rectangle to the device and draw it in its colour."""
        shape, self._new = self._new, None
        if shape is None:
            return
        roi = roi_of(shape)
        self._syncing = True
        try:
            self.manager.stop()
            self.manager.removeRoi(shape)
        finally:
            self._syncing = False
        if self._link is None:
            return
        if self._draws_photons:
            roi_edit.set_photon_roi(self._link, roi)
            return
        rois = roi_edit.shown_rois(self._link)
        name = roi_edit.free_name(rois)
        new = self._shapes[name] = self._add(name)
        new.setColor(roi_color(len(rois)))
        self._place(new, roi)
        self.manager.setCurrentRoi(new)
        roi_edit.set_roi(self._link, name, roi)

    def _edited(self, shape: RectangleROI) -> None:
        if self._link is None:
            return
        if shape is self._photons:
            roi_edit.set_photon_roi(self._link, roi_of(shape))
        elif (name := self._name_of(shape)) is not None:
            before = roi_edit.shown_rois(self._link).get(name)
            now = roi_of(shape)
            if before is not None:
                now = replace(before, x=now.x, y=now.y, width=now.width, height=now.height)
            roi_edit.set_roi(self._link, name, now)

    def _removed(self, shape: RectangleROI) -> None:
        """Delete a ROI that the user removed with the plot's menu."""
        if self._syncing or self._link is None:
            return
        if shape is self._photons:
            self._photons = None
            roi_edit.set_photon_roi(self._link, None)
        elif (name := self._name_of(shape)) is not None:
            del self._shapes[name]
            roi_edit.remove_roi(self._link, name)

    def _current_changed(self, shape: RectangleROI | None) -> None:
        self._set_handles()
        self.selected.emit((shape is not None and self._name_of(shape)) or "")

    def _name_of(self, shape: RectangleROI) -> str | None:
        return next((name for name, known in self._shapes.items() if known is shape), None)
