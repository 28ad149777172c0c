"""The read-only attributes, as one table: what each shows of a view."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from femtotango.plain_text import latin
from femtotango.roi_slots import SLOTS
from femtotango.view import View

MAX_POINTS = 100_000
"""Points of a curve; the reducer keeps the newest so many frames."""
MAX_ROIS = 100
MAX_IMAGE = 8192
"""Pixels a side."""
MAX_PREVIEW = 1024
_MAX_BINS = 100_000

Read = Callable[[View], Any]
SCALAR, SPECTRUM, IMAGE = 0, 1, 2


@dataclass(frozen=True)
class Result:
    """One read-only attribute."""

    name: str
    kind: type
    """float, int (64 bit), str, bool or numpy.float32."""
    doc: str
    read: Read
    unit: str = ""
    dims: tuple[int, ...] = ()
    """Largest ``(x,)`` or ``(x, y)``; empty: a scalar."""
    events: bool = True
    """Changes are pushed."""
    of_controller: bool = False
    """The controller tells it, not the reducer."""

    def valid(self, view: View) -> bool:
        """Say whether the part that tells it can be reached."""
        source = view.pipeline if self.of_controller else view.results
        return source.error is None


def _number(path: str, this_scan: bool = False) -> Read:
    return lambda view: float(
        (view.of_this_scan if this_scan else view.snapshot).get(path, math.nan)
    )


def _count(path: str, this_scan: bool = False) -> Read:
    return lambda view: int((view.of_this_scan if this_scan else view.snapshot).get(path, 0))


def _text(path: str, this_scan: bool = False) -> Read:
    return lambda view: latin(
        str((view.of_this_scan if this_scan else view.snapshot).get(path, ""))
    )


def _array(path: str, this_scan: bool = False) -> Read:
    def read(view: View) -> Any:
        values = (view.of_this_scan if this_scan else view.snapshot).get(path, ())
        return np.asarray(values, np.float64).reshape(-1)

    return read


def _element(path: str, index: int, default: float) -> Read:
    def read(view: View) -> Any:
        values = view.snapshot.get(path, ())
        return type(default)(values[index]) if len(values) > index else default

    return read


def _preview(view: View) -> Any:
    image = view.snapshot.get("preview/max" if view.max_filter else "preview/mean")
    return np.empty((0, 0), np.float32) if image is None else np.asarray(image, np.float32)


def _by_name(view: View, path: str) -> dict[str, float]:
    snapshot = view.of_this_scan
    names, values = snapshot.get("roi_names", ()), snapshot.get(path, ())
    return dict(zip(names, np.asarray(values).tolist(), strict=False))


def _per_roi(path: str, missing: float) -> Read:
    def read(view: View) -> Any:
        values = _by_name(view, path)
        return np.array([values.get(name, missing) for name in view.roi_names])

    return read


def _slot_mean(slot: int, view: View) -> float:
    return _by_name(view, "roi_newest").get(view.slots[slot], math.nan)


def _slot_curve(slot: int, view: View) -> Any:
    name = view.slots[slot]
    return view.curves.rows((name,), view.curves.means)[0] if name else np.empty(0)


def _age(view: View) -> float:
    newest = view.snapshot.get("health/last_frame_time")
    return math.nan if newest is None else max(0.0, time.time() - float(newest))


def _events(part: str) -> Read:
    return lambda view: getattr(view.scan.progress, part) if view.scan.progress else 0


def _slots() -> list[Result]:
    rows = []
    for slot in range(SLOTS):
        number = slot + 1
        rows.append(
            Result(
                f"Roi{number}Mean",
                float,
                f"Newest frame's mean of the ROI in slot {number} (see RoiSlots).",
                partial(_slot_mean, slot),
            )
        )
        rows.append(
            Result(
                f"Roi{number}Curve",
                float,
                f"Means of the ROI in slot {number} over XAxis.",
                partial(_slot_curve, slot),
                dims=(MAX_POINTS,),
            )
        )
    return rows


RESULTS: tuple[Result, ...] = (
    Result(
        "PreviewImage",
        np.float32,
        "The image in at most 512x512 blocks: their means, or with MaxFilter their maxima.",
        _preview,
        dims=(MAX_PREVIEW, MAX_PREVIEW),
    ),
    Result("FrameCount", int, "Frames in the image.", _count("accumulated_number")),
    Result("ImageSum", float, "Sum over all good pixels.", _number("image_sum")),
    Result("ImageMax", float, "Largest good pixel.", _number("image_max")),
    Result("PixelSize", float, "Side of a pixel.", _element("pixel_size", 0, math.nan), unit="m"),
    Result("Detector", str, "Stream that the image came from.", _text("detector")),
    Result(
        "ImageUnit",
        str,
        "counts (photons), ADU above background, or TOT (time over threshold).",
        _text("image_unit"),
    ),
    Result("ImageWidth", int, "Columns.", _element("image_shape", 1, 0), unit="pixel"),
    Result("ImageHeight", int, "Rows.", _element("image_shape", 0, 0), unit="pixel"),
    Result(
        "RoiNames",
        str,
        "Order of everything per ROI.",
        lambda view: list(view.roi_names),
        dims=(MAX_ROIS,),
    ),
    Result(
        "RoiMeans",
        float,
        "Newest frame's mean per ROI.",
        _per_roi("roi_newest", math.nan),
        dims=(MAX_ROIS,),
    ),
    Result(
        "RoiSums",
        float,
        "Sum of the frames' means of this scan per ROI; a difference tells what came in between.",
        _per_roi("roi_sums", 0.0),
        dims=(MAX_ROIS,),
    ),
    Result(
        "RoiCounts",
        int,
        "Number of frames in RoiSums.",
        _per_roi("roi_counts", 0),
        dims=(MAX_ROIS,),
    ),
    Result(
        "RoiMeanCurves",
        float,
        "Means (roi, point) over XAxis.",
        lambda view: view.curves.rows(view.roi_names, view.curves.means),
        dims=(MAX_POINTS, MAX_ROIS),
        events=False,
    ),
    Result(
        "RoiMeanErrors",
        float,
        "Standard errors of RoiMeanCurves; NaN where there is one frame only.",
        lambda view: view.curves.rows(view.roi_names, view.curves.errors),
        dims=(MAX_POINTS, MAX_ROIS),
        events=False,
    ),
    Result(
        "XAxis",
        float,
        "Motor positions, or frame numbers, of the curves.",
        lambda view: view.curves.x,
        dims=(MAX_POINTS,),
    ),
    Result("XLabel", str, "What XAxis holds.", _text("x_label", True)),
    *_slots(),
    Result(
        "RoiSlots",
        str,
        "Name of the ROI in each of the eight slots; empty: free.",
        lambda view: list(view.slots),
        dims=(SLOTS,),
    ),
    Result(
        "EnergyHistogram",
        float,
        "Photons of this scan per bin of EnergyAxis.",
        _array("energy_histogram/counts", True),
        dims=(_MAX_BINS,),
    ),
    Result(
        "EnergyAxis",
        float,
        "Bin centres of EnergyHistogram.",
        _array("energy_histogram/energy", True),
        unit="ADU",
        dims=(_MAX_BINS,),
    ),
    Result("PhotonCount", int, "Photons of this scan.", _count("photons/count", True)),
    Result(
        "PileupFraction",
        float,
        "Share of this scan's photons above PileupThreshold.",
        _number("photons/pileup_fraction", True),
    ),
    Result(
        "HitDensity",
        float,
        "Pixels above PhotonThreshold per ROI pixel in the newest frame.",
        _number("photons/hit_density", True),
    ),
    Result(
        "SkippedFrames",
        int,
        "Frames of this scan that were too dense for photon detection.",
        _count("photons/skipped_frames", True),
    ),
    Result(
        "Trusted",
        bool,
        "The photons of this scan are what the detector saw.",
        lambda view: bool(view.of_this_scan.get("photons/trusted", 0)),
    ),
    Result(
        "TrustReason",
        str,
        "Why photons are not trusted, or raw data must be kept, and what to do.",
        _text("photons/reason", True),
    ),
    Result("PhotonFile", str, "File of this scan's photons.", _text("photons/filename", True)),
    Result(
        "AzimuthalIntensity",
        float,
        "Azimuthal mean of the image over AzimuthalQ.",
        _array("azimuthal/intensity"),
        dims=(_MAX_BINS,),
    ),
    Result(
        "AzimuthalErrors",
        float,
        "Standard errors of AzimuthalIntensity.",
        _array("azimuthal/intensity_errors"),
        dims=(_MAX_BINS,),
    ),
    Result(
        "AzimuthalQ",
        float,
        "Scattering vector of AzimuthalIntensity.",
        _array("azimuthal/q"),
        unit="1/angstrom",
        dims=(_MAX_BINS,),
    ),
    Result("ScanNumber", int, "Counts the scans.", lambda view: view.scan.number),
    Result(
        "ScanFrames",
        int,
        "Frames of this scan whose results are in, good or failed.",
        _count("scan/processed", True),
    ),
    Result("FramesPerPoint", int, "As PrepareScan was told.", lambda view: view.scan.burst),
    Result("ScanTitle", str, "Sardana's title of this scan.", _text("scan/title", True)),
    Result(
        "ScanFinished",
        bool,
        "All results of the scan can be read.",
        lambda view: view.scan.done,
    ),
    Result(
        "EventsProcessed",
        int,
        "Events of this scan that are done, of EventsTotal.",
        _events("completed"),
        of_controller=True,
    ),
    Result(
        "EventsTotal",
        int,
        "Frames of this scan, and a start and an end event.",
        _events("total"),
        of_controller=True,
    ),
    Result(
        "FailedFrames",
        int,
        "Frames that could not be used, or never came before StopScan.",
        lambda view: view.failed_frames,
    ),
    Result(
        "FrameRate",
        float,
        "Frames per second, over two seconds.",
        lambda view: view.results.frame_rate,
        unit="Hz",
    ),
    Result("LastFrameAge", float, "Time since the newest frame.", _age, unit="s"),
    Result("LastError", str, "The newest error.", lambda view: latin(view.last_error)),
)
"""All but AccumulatedImage, which is fetched on demand."""
