"""What there is to see: the one place that decides which values belong to one another."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.watched import PREVIEW
from femtotango.gui.plots.zoom import block_size


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


def shown_means(link: DeviceLink) -> dict[str, float]:
    """Return the newest frame's mean of each ROI by name; empty without an image."""
    if shown_image(link) is None:
        return {}
    names, means = link.value("RoiNames", ()), link.value("RoiMeans", ())
    return {name: float(mean) for name, mean in zip(names, means, strict=False)}
