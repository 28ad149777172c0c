"""Everything that is published: one tree of groups."""

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.groups import Group, Rendered, by_name, group, published, rendered, value
from pipeline.protocols.snapshot.diffraction import Azimuthal, Geometry
from pipeline.protocols.snapshot.image import CameraImage, ScanCamera
from pipeline.protocols.snapshot.photons import EnergyHistogram, Photons
from pipeline.protocols.snapshot.rois import MAX_CURVE_POINTS, RoiStatistics, StepMeans
from pipeline.protocols.snapshot.scan import Scan


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
    snapshot_with_curves: Rendered | None = rendered(
        "`snapshot` and `curves` of the same moment, packed into one array.",
        default=None,
        dtype="uint8",
        shape="(byte,)",
    )


NOTHING = Published(revision=-1)
"""What a client knows before it has read anything."""
