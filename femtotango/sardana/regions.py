"""What can be said of a region: whether the image has it, and whether its value is of it."""

import math
import time
from typing import Any

from pipeline.model.roi import Roi
from pipeline.model.roi_statistics import STATISTICS

_IN_FORCE = 0.5
"""Frames that come sooner after a change of the regions may have been processed without it [s]."""


def cut_off(roi: Roi, height: int | None, width: int | None) -> str:
    """Say that a region is not wholly in the image; empty: it is, or there is no image yet.

    Args:
        roi: the region.
        height: rows of the newest image; None or 0: there is none.
        width: columns of the newest image.
    """
    if not height or not width:
        return ""
    image = f"the image of {width} x {height} pixels"
    part = roi.slices((height, width))
    if part is None:
        return f"is outside of {image}: it has no mean."
    rows, columns = part
    if (rows.stop - rows.start, columns.stop - columns.start) != (roi.height, roi.width):
        return f"is partly outside of {image}: its mean is that of the part inside."
    return ""


def image_size(device: Any, camera: str) -> tuple[int | None, int | None]:
    """Return rows and columns of a camera's image; None or 0: there is none yet.

    Args:
        device: a tango.DeviceProxy.
        camera: its stream; empty: the one that is shown.

    Raises:
        tango.DevFailed: the device does not answer.
    """
    if camera and camera != device.read_attribute("Detector").value:
        names = [f"ImageHeight_{camera}", f"ImageWidth_{camera}"]
        if names[0] not in device.get_attribute_list():
            return None, None
    else:
        names = ["ImageHeight", "ImageWidth"]
    height, width = (attribute.value for attribute in device.read_attributes(names))
    return height, width


def fresh_values(device: Any, statistic: str) -> dict[str, float]:
    """Return the newest values by region, none when no frame has come since a region was changed.

    Args:
        device: a tango.DeviceProxy.
        statistic: which values, one of `STATISTICS`; minus and over are applied.

    Raises:
        tango.DevFailed: the device does not answer.
    """
    attributes = device.read_attributes(["Rois", "RoiNames", "RoiStatistics", "LastFrameAge"])
    rois, names, table, age = attributes
    if age.value is None or table.value is None or not math.isfinite(age.value):
        return {}
    if time.time() - age.value < rois.time.totime() + _IN_FORCE:
        return {}
    column = table.value[:, STATISTICS.index(statistic)].tolist()
    pairs = zip(list(names.value or ()), column, strict=False)
    return {name: value for name, value in pairs if math.isfinite(value)}
