"""What there is to see: the one place that decides which values belong to one another."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.roi_edit import shown_photon_roi, shown_rois
from femtotango.gui.device_link.watched import CAMERAS, PREVIEW
from femtotango.gui.plots.colors import roi_colors
from femtotango.gui.plots.zoom import block_size
from pipeline.model.cameras import CAMERAS as CAMERA_TABLE
from pipeline.model.roi import Roi


@dataclass(frozen=True)
class ShownImage:
    """The device's image."""

    detector: str
    frames: int
    shape: tuple[int, int]
    """``(ny, nx)``"""
    preview: NDArray[Any] | None
    """Blocks of this image; None while they are on their way."""
    binning: int
    """Image pixels that a block spans along each axis."""


def image_is_known(link: DeviceLink) -> bool:
    """Tell whether the device says if there is an image: not without its pipeline."""
    return link.connected and link.reading("FrameCount").value is not None


def shown_image(link: DeviceLink) -> ShownImage | None:
    """Return the device's image, None when it has none.

    Everything on the image, beside it and about it is shown with this image only.
    """
    detector, frames = link.value("Detector", ""), int(link.value("FrameCount", 0))
    shape = int(link.value("ImageHeight", 0)), int(link.value("ImageWidth", 0))
    if not detector or frames < 1 or min(shape) < 1:
        return None
    preview = link.value(PREVIEW)
    binning = 0 if preview is None else block_size(shape, np.shape(preview))
    return ShownImage(detector, frames, shape, preview if binning else None, max(1, binning))


def cameras(link: DeviceLink) -> tuple[str, ...]:
    """Return the cameras of the scan, the one that stands for the scan first."""
    return tuple(link.value(CAMERAS, ()) or ())


def cameras_of_rois(link: DeviceLink) -> dict[str, str]:
    """Return whose each ROI is, by name; empty: not known yet."""
    first = next(iter(cameras(link)), "") or link.value("Detector", "")
    return {name: roi.camera or first for name, roi in shown_rois(link).items()}


def shown_colors(link: DeviceLink) -> dict[str, str]:
    """Return the colour of each ROI by name."""
    return roi_colors(cameras_of_rois(link), cameras(link))


def rois_of_shown_camera(link: DeviceLink) -> dict[str, Roi]:
    """Return the ROIs that lie on the shown image by name."""
    shown, owners = link.value("Detector", ""), cameras_of_rois(link)
    return {
        name: roi
        for name, roi in shown_rois(link).items()
        if not shown or owners[name] in ("", shown)
    }


def finds_photons(detector: str) -> bool:
    """Tell whether photons are searched in the images of a camera; an unknown one: yes."""
    return detector not in CAMERA_TABLE or CAMERA_TABLE[detector].finds_photons


def photon_roi_of_shown_camera(link: DeviceLink) -> Roi | None:
    """Return the photon ROI, None on the image of a camera that is not searched for photons."""
    return shown_photon_roi(link) if finds_photons(link.value("Detector", "")) else None
