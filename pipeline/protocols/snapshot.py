"""The one table of what the reducer publishes: names, types, shapes, units, meanings.

A field's name is the name on the wire, a group's name the first part of the path. The publisher
fills these groups, and clients get them back from `read_group`, so that the type checker sees both
sides. `docs/published.md` is printed from here.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.groups import (
    Group,
    Rendered,
    ValueOf,
    by_name,
    group,
    hidden,
    published,
    rendered,
    value,
)

PREVIEW_SIZE = 512
"""A preview has at most so many pixels a side."""
MAX_CURVE_POINTS = 100_000
"""Points that a ROI curve keeps at most: frames or motor steps; older ones are dropped."""


def _data(signal: str, *axes: str) -> dict[str, object]:
    """Return the attributes of a NeXus data group: what is plotted over what."""
    return {"NX_class": "NXdata", "signal": signal, **({"axes": list(axes)} if axes else {})}


_PREVIEW_SHAPE = f"(ny, nx), at most {PREVIEW_SIZE}×{PREVIEW_SIZE}"
_PIXELS = {"interpretation": "image", "units": ValueOf("unit")}


@published
class Preview(Group):
    """The image in small."""

    nexus = _data("mean")

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

    nexus = _data("image")

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


@published
class StepMeans(Group):
    """A ROI's means per motor step."""

    nexus = _data("y", "x")

    x: Rendered = rendered(
        "Positions of the first movable.",
        dtype="float64",
        shape="(step,)",
        attributes={"long_name": ValueOf("x_label")},
    )
    y: Rendered = rendered(
        "Means over the frames of each step.",
        dtype="float64",
        shape="(step,)",
        attributes={"long_name": ValueOf("y_label")},
    )
    y_errors: Rendered = rendered(
        "Their standard errors; NaN for one frame.", dtype="float64", shape="(step,)"
    )
    n: Rendered = rendered("Frames in each mean.", dtype="int64", shape="(step,)")
    x_label: str = hidden()
    y_label: str = hidden()


@published
class RoiStatistic(Group):
    """One statistic of a ROI, minus and over applied; its unit is that of the image or pixels."""

    nexus = _data("y", "x")

    frames: Rendered = rendered("Per frame of this scan.", dtype="float64", shape="(frame,)")
    x: Rendered | None = rendered(
        "Positions of the first movable.", default=None, dtype="float64", shape="(step,)"
    )
    y: Rendered | None = rendered(
        "Mean over the frames of each step; with over, the ratio of the sums.",
        default=None,
        dtype="float64",
        shape="(step,)",
    )
    y_errors: Rendered | None = rendered(
        "Their standard errors; NaN for one frame.", default=None, dtype="float64", shape="(step,)"
    )
    n: Rendered | None = rendered("Frames in each.", default=None, dtype="int64", shape="(step,)")
    left_out: Rendered | None = rendered(
        "Frames without a denominator above 0.", default=None, dtype="int64", shape="(step,)"
    )


@published
class RoiStatistics(Group):
    """All statistics of a ROI; x, y and widths [pixel] are of what stands above its border."""

    mean: RoiStatistic = group()
    sum: RoiStatistic = group()
    max: RoiStatistic = group()
    x: RoiStatistic = group()
    y: RoiStatistic = group()
    width_x: RoiStatistic = group()
    width_y: RoiStatistic = group()


@published
class Photons(Group):
    """Single-photon state of a scan; without photon detection only the verdict."""

    count: int | None = value("Photons of this scan.", default=None)
    skipped_frames: int | None = value("Frames that were too dense to search.", default=None)
    trusted: int = value("1: the photons are what the detector saw.", default=0)
    may_drop_raw: int = value("1: raw data are not needed.", default=0)
    reason: str = value("Why photons are not trusted, or raw data must be kept.", default="")
    filename: str | None = value("File of this scan's photons.", default=None)
    untrusted_frames: str | None = value(
        "Frames that have no trusted photons in the file.", default=None
    )
    pileup_fraction: float = value(
        "Share of photons that overlap others or are above PileupThreshold.", default=math.nan
    )
    hit_density: float = value(
        "Pixels above PhotonThreshold per ROI pixel in the newest frame.", default=math.nan
    )
    save_raw: int | None = value("The header's `save_raw`, where it has one.", default=None)


_NO_BINS = np.empty(0)


@published
class EnergyHistogram(Group):
    """Photons of a scan by energy."""

    nexus = _data("counts", "energy")

    energy: NDArray[np.float64] = value(
        "Bin centres.",
        default=_NO_BINS,
        unit="ADU",
        shape="(bin,)",
        attributes={"long_name": "3x3 sum [ADU]"},
    )
    counts: NDArray[np.int64] = value(
        "Photons per bin.",
        default=np.empty(0, np.int64),
        shape="(bin,)",
        attributes={"long_name": "photons"},
    )


@published
class Azimuthal(Group):
    """Azimuthal means of the image."""

    nexus = _data("intensity", "q")

    q: NDArray[np.float64] = value(
        "Scattering vector.", default=_NO_BINS, unit="1/angstrom", shape="(bin,)"
    )
    intensity: NDArray[np.float64] = value(
        "Azimuthal mean of `image`.", default=_NO_BINS, shape="(bin,)"
    )
    intensity_errors: NDArray[np.float64] = value(
        "Their standard errors.", default=_NO_BINS, shape="(bin,)"
    )


@published
class Geometry(Group):
    """Where the detector stands."""

    poni: str | None = value("The PONI file's text, when the geometry is set.", default=None)
    reason: str | None = value("Why there is no azimuthal curve.", default=None)
    camera: str | None = value(
        "Stream of the camera that the geometry belongs to, and the curve.", default=None
    )


@published
class Dark(Group):
    """What came of the dark level that was requested last."""

    request: str = value("Tells the request from others; empty: there was none.", default="")
    camera: str = value("Stream of the camera.", default="")
    frames: int = value("Frames that are in.", default=0)
    wanted: int = value("Frames that it is made of.", default=0)
    file: str = value("Its file, once it is written.", default="")
    sha256: str = value("First digits of the SHA-256 of what is in it.", default="")
    reason: str = value("Why there is none.", default="")


@published
class Scan(Group):
    """The newest scan that has begun."""

    mapping: str = value("dranspose's name of the trigger map.", default="")
    number: int = value("Sardana's number, else the scans of this process counted.", default=0)
    title: str = value("Sardana's title.", default="")
    cameras: tuple[str, ...] = value(
        "Cameras of which something has come; the first stands for the scan.", default=()
    )
    filename: str = value("The raw file that the first camera's header names.", default="")
    frames: int = value("Frames of all cameras whose results are in.", default=0)
    processed: int = value("The same, with those that failed.", default=0)
    ended: int = value("1: the end of the scan and everything before it is in.", default=0)
    ended_workers: tuple[str, ...] = value("Workers that have seen the end.", default=())
    series_ended: int = value("1: the series of all its cameras have ended.", default=0)
    movables: Mapping[str, NDArray[np.float64]] | None = by_name(
        "movable", "Positions at each record.", default=None, shape="(step,)"
    )
    columns: Mapping[str, Rendered] | None = by_name(
        "column",
        "Numbers of each record: movables, counters and others; NaN where one is missing.",
        default=None,
        dtype="float64",
        shape="(record,)",
    )
    column_names: tuple[str, ...] = value(
        "Their names as records have them; XSource may name one.", default=()
    )


@published
class Health(Group):
    """Counted, never silent."""

    frames: int = value("Frames processed since the reducer was started.", default=0)
    failed_frames: int = value("Frames that could not be used.", default=0)
    discarded_frames: int = value(
        "Frames that the camera marked as ones that are not saved.", default=0
    )
    late_frames: int = value(
        "Frames that came after their sum was reset, or in a later scan than theirs.", default=0
    )
    last_error: str = value("The newest error.", default="")
    alarms: tuple[str, ...] = value("What a person has to see to, now.", default=())
    settled: int = value("1: files and the azimuthal curve are up to date.", default=1)
    last_frame_time: float = value(
        "When the newest frame came, since 1970.", default=math.nan, unit="s"
    )


@published
class Crop(Group):
    """Where the image lies on the detector, as viewers of the earlier pipeline ask: all of it."""

    top: int = value("First row.", default=0, unit="pixel")
    left: int = value("First column.", default=0, unit="pixel")
    bottom: int = value("Row behind the last one.", default=0, unit="pixel")
    right: int = value("Column behind the last one.", default=0, unit="pixel")


@published
class Published(Group):
    """Everything that the reducer publishes."""

    nexus: ClassVar[Mapping[str, object]] = {"NX_class": "NXentry", "default": "accumulated"}

    revision: int = value("Raised with every change.")
    shown: CameraImage = group(default=CameraImage(), inline=True)
    cameras: Mapping[str, ScanCamera] | None = by_name("camera", default=None)
    crop: Crop = group(default=Crop())
    sum_number: int = value(
        "Number of the newest sum; frames of older ones are dropped.", default=0
    )
    roi_names: tuple[str, ...] = value("Order of everything per ROI.", default=())
    roi_newest: NDArray[np.float64] | None = value(
        "The newest frame's values of the shown statistic.", default=None, shape="(roi,)"
    )
    roi_newest_statistics: NDArray[np.float64] | None = value(
        "The newest frame's statistics, in the order of `roi_stats`.",
        default=None,
        shape="(roi, statistic)",
    )
    roi_sums: NDArray[np.float64] | None = value(
        "Sums of the means of this scan's frames.", default=None, shape="(roi,)"
    )
    roi_counts: NDArray[np.int64] | None = value(
        "Frames in each sum.", default=None, shape="(roi,)"
    )
    roi_totals: NDArray[np.float64] | None = value(
        "Sums of this scan's frames, minus applied, in the order of `roi_stats`; what they and "
        "`roi_weights` gained between two readings is the mean over the frames in between.",
        default=None,
        shape="(roi, statistic)",
    )
    roi_weights: NDArray[np.float64] | None = value(
        "What `roi_totals` are divided by: frames, with over the sums of the denominators.",
        default=None,
        shape="(roi, statistic)",
    )
    roi_means: Mapping[str, Rendered] | None = by_name(
        "roi",
        f"Mean per frame of this scan, the newest {MAX_CURVE_POINTS}.",
        default=None,
        dtype="float64",
        shape="(frame,)",
    )
    step_means: Mapping[str, StepMeans] | None = by_name("roi", default=None)
    roi_stats: Mapping[str, RoiStatistics] | None = by_name("roi", default=None)
    x: Rendered | None = rendered(
        "Axis of the ROI curves: motor positions, or frame numbers.",
        default=None,
        dtype="float64",
        shape="(point,)",
    )
    x_label: str | None = value("What `x` holds.", default=None)
    photons: Photons = group(default=Photons())
    energy_histogram: EnergyHistogram = group(default=EnergyHistogram())
    max_e: Rendered | None = rendered(
        "Largest photon energy of each frame, NaN where there is none, as viewers of the earlier "
        f"pipeline ask; the newest {MAX_CURVE_POINTS}.",
        default=None,
        dtype="float64",
        shape="(frame,)",
        unit="ADU",
    )
    azimuthal: Azimuthal = group(default=Azimuthal())
    geometry: Geometry = group(default=Geometry())
    dark: Dark = group(default=Dark())
    scan: Scan = group(default=Scan())
    health: Health = group(default=Health())
    curves: Rendered | None = rendered(
        "ROI curves and their axis, packed into one array.",
        default=None,
        dtype="uint8",
        shape="(byte,)",
    )
    frame_safety: Rendered | None = rendered(
        "Is every frame safe somewhere? Packed into one array, made anew for each reader.",
        default=None,
        dtype="uint8",
        shape="(byte,)",
    )
    snapshot: Rendered | None = rendered(
        "All values but the arrays that are rendered when read, packed into one array.",
        default=None,
        dtype="uint8",
        shape="(byte,)",
    )


NOTHING = Published(revision=-1)
"""What a client knows before it has read anything."""
