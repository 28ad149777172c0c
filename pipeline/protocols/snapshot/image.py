"""What is published of a camera: its image, and what came of it in the scan."""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.groups import (
    Group,
    Rendered,
    ValueOf,
    group,
    hidden,
    plotted,
    published,
    rendered,
    value,
)

PREVIEW_SIZE = 512
"""A preview has at most so many pixels a side."""
_PREVIEW_SHAPE = f"(ny, nx), at most {PREVIEW_SIZE}×{PREVIEW_SIZE}"
_PIXELS = {"interpretation": "image", "units": ValueOf("unit")}


@published
class Preview(Group):
    """The image in small."""

    nexus = plotted("mean")

    mean: NDArray[np.float32] = value(
        "Means of the valid pixels of each block.",
        default=np.empty((0, 0), np.float32),
        shape=_PREVIEW_SHAPE,
        attributes=_PIXELS,
    )
    max: NDArray[np.float32] = value(
        "Their maxima.",
        default=np.empty((0, 0), np.float32),
        shape=_PREVIEW_SHAPE,
        attributes=_PIXELS,
    )
    binning: int = value("Pixels per block and side.", default=1, unit="pixel")
    unit: str | None = hidden(default=None)


@published
class PlotImage(Group):
    """The image as viewers find it by themselves."""

    nexus = plotted("image")

    image: Rendered | None = rendered(
        "The same as `image`.",
        default=None,
        dtype="float32 or float64",
        shape="(ny, nx)",
        attributes=_PIXELS,
    )
    unit: str | None = hidden(default=None)


@published
class CameraImage(Group):
    """A sum of frames, or the newest frame as a sum of one."""

    image: Rendered | None = rendered(
        "Accumulated image, or the newest frame; NaN where masked.",
        default=None,
        dtype="float32 or float64",
        shape="(ny, nx)",
        attributes={"interpretation": "image", "units": ValueOf("image_unit")},
    )
    accumulated: PlotImage = group(default=PlotImage())
    image_unit: str | None = value(
        "`counts` (photons), `ADU` above background, or `TOT` (time over threshold).", default=None
    )
    image_shape: NDArray[np.int64] | None = value(
        "Rows and columns of the image.", default=None, unit="pixel", shape="(2,) y, x"
    )
    image_sum: float = value("Sum over all valid pixels.", default=math.nan)
    image_max: float = value("Largest valid pixel.", default=math.nan)
    accumulated_number: int = value("Frames in the image.", default=0)
    sum_dtype: str | None = value("The type in which it is summed.", default=None)
    sum_frames: str | None = value(
        "JSON: by scan, the first and last numbers of the frames in it.", default=None
    )
    sum_corrections: str | None = value(
        "JSON: by dark level and mask, how many frames had them.", default=None
    )
    partly_masked: int = value("1: some pixels are masked in some frames only.", default=0)
    frames_seen: Rendered | None = rendered(
        "How many frames saw each pixel, where some are masked in some frames only.",
        default=None,
        dtype="uint32",
        shape="(ny, nx)",
    )
    sum_settings: str | None = value("JSON: settings of its newest frame.", default=None)
    ledger: str | None = value(
        "JSON: what is in the image: scans, frames, settings and their hash, dark level, mask.",
        default=None,
    )
    image_region: NDArray[np.int64] | None = value(
        "Where photons were searched; outside, the image tells nothing.",
        default=None,
        unit="pixel",
        shape="(4,) x, y, width, height",
    )
    preview: Preview = group(default=Preview())
    image_rois: Rendered | None = rendered(
        "Statistics of the camera's ROIs in the image itself, packed into one array.",
        default=None,
        dtype="uint8",
        shape="(byte,)",
    )
    pixel_size: NDArray[np.float64] | None = value(
        "Size of a pixel.", default=None, unit="m", shape="(2,) y, x"
    )
    detector: str | None = value("Stream that the image came from.", default=None)


@published
class ScanCamera(CameraImage):
    """One camera: its image, and what came of it in this scan."""

    scan_frames: int = value("Its frames whose results are in.", default=0)
    scan_processed: int = value("The same, with those that failed.", default=0)
    scan_filename: str = value("The raw file that its header names.", default="")
    scan_ended: int = value("1: its series has ended, and all before that is in.", default=0)
