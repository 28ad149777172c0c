"""The read-only attributes, as one table: what each shows of a view."""

import math

from femtotango.component import health
from femtotango.component import result_readers as readers
from femtotango.component.image_results import image_results
from femtotango.component.result_row import Result, Source
from femtotango.component.roi_results import fit_results, slot_results
from femtotango.component.roi_slots import SLOTS
from femtotango.text_encoding import latin
from pipeline.model.cameras import CAMERAS
from pipeline.model.parameters import PARAMETERS
from pipeline.model.roi import MAX_ROIS
from pipeline.model.roi_statistics import STATISTICS
from pipeline.protocols.snapshot import MAX_CURVE_POINTS


def _max_bins(parameter: str) -> tuple[int]:
    limits = PARAMETERS[parameter].limits
    assert limits is not None
    return (int(limits[1]),)


_HISTOGRAM = _max_bins("histogram_bins")
_AZIMUTHAL = _max_bins("azimuthal_bins")
_MOST_COLUMNS = 1000

RESULTS: tuple[Result, ...] = (
    *image_results(),
    Result(
        "RoiNames",
        str,
        "Order of everything per ROI.",
        lambda view: list(view.roi_names),
        source=Source.DEVICE,
        dims=(MAX_ROIS,),
    ),
    Result(
        "RoiMeans",
        float,
        "Newest frame's value per ROI, of what RoiStatistic says.",
        readers.per_roi(lambda p: p.roi_newest, math.nan),
        dims=(MAX_ROIS,),
    ),
    Result(
        "RoiStatistics",
        float,
        "Newest frame's statistics (roi, statistic), in the order of RoiStatistic.",
        readers.roi_table(lambda p: p.roi_newest_statistics, math.nan),
        dims=(len(STATISTICS), MAX_ROIS),
        events=False,
    ),
    Result(
        "RoiSums",
        float,
        "Sum of the frames' means of this scan per ROI; a difference tells what came in between.",
        readers.per_roi(lambda p: p.roi_sums, 0.0),
        dims=(MAX_ROIS,),
        expert=True,
    ),
    Result(
        "RoiCounts",
        int,
        "Number of frames in RoiSums.",
        readers.per_roi(lambda p: p.roi_counts, 0),
        dims=(MAX_ROIS,),
        expert=True,
    ),
    Result(
        "RoiTotals",
        float,
        "Sums (roi, statistic) over this scan's frames, in the order of RoiStatistic, minus "
        "applied. What they and RoiWeights gain between two readings divides to the mean over the "
        "frames in between.",
        readers.roi_table(lambda p: p.roi_totals, 0.0),
        dims=(len(STATISTICS), MAX_ROIS),
        events=False,
        expert=True,
    ),
    Result(
        "RoiWeights",
        float,
        "Frames in RoiTotals, with over the sums of the denominators.",
        readers.roi_table(lambda p: p.roi_weights, 0.0),
        dims=(len(STATISTICS), MAX_ROIS),
        events=False,
        expert=True,
    ),
    Result(
        "RoiMeanCurves",
        float,
        "Values (roi, point) over XAxis, of what RoiStatistic says: means over each step.",
        lambda view: view.curves.rows(view.roi_names, view.curves.means),
        dims=(MAX_CURVE_POINTS, MAX_ROIS),
        events=False,
    ),
    Result(
        "RoiMeanErrors",
        float,
        "Standard errors of RoiMeanCurves; NaN where there is one frame only.",
        lambda view: view.curves.rows(view.roi_names, view.curves.errors),
        dims=(MAX_CURVE_POINTS, MAX_ROIS),
        events=False,
    ),
    Result(
        "XAxis",
        float,
        "Motor positions, or frame numbers, of the curves.",
        lambda view: view.curves.x,
        dims=(MAX_CURVE_POINTS,),
    ),
    Result(
        "ColumnNames",
        str,
        'Numbers of the records: XSource may name one, and the "over" of a ROI as column:NAME.',
        lambda view: [latin(name) for name in view.of_this_scan.scan.column_names[:_MOST_COLUMNS]],
        dims=(_MOST_COLUMNS,),
    ),
    Result(
        "MapX",
        float,
        "Positions of the first of two movables, of the points of MapValues; empty without two.",
        lambda view: view.curves.map_x,
        dims=(MAX_CURVE_POINTS,),
    ),
    Result(
        "MapY",
        float,
        "Positions of the second movable.",
        lambda view: view.curves.map_y,
        dims=(MAX_CURVE_POINTS,),
    ),
    Result(
        "MapLabels",
        str,
        "Names of the two movables of MapX and MapY; empty without two.",
        readers.map_labels,
        dims=(2,),
    ),
    Result(
        "MapValues",
        float,
        "Means (roi, point) over MapX and MapY; empty without two movables.",
        readers.map_values,
        dims=(MAX_CURVE_POINTS, MAX_ROIS),
        events=False,
    ),
    Result(
        "DarkProgress",
        float,
        "Share of the frames of the dark level that TakeDark asked for last; 1: it is taken.",
        readers.dark_progress,
    ),
    Result("XLabel", str, "What XAxis holds.", readers.text(lambda p: p.x_label, this_scan=True)),
    *slot_results(),
    *fit_results(),
    Result(
        "FitCurve",
        float,
        "The fitted model over XAxis; empty without a fit.",
        readers.fit_curve,
        dims=(MAX_CURVE_POINTS,),
        events=False,
    ),
    Result(
        "FitStatus",
        str,
        "What was fitted, or why there is no fit.",
        lambda view: latin(view.fit.status.replace("²", "2")),
    ),
    Result(
        "RoiSlots",
        str,
        "Name of the ROI in each of the eight slots; empty: free.",
        lambda view: list(view.slots),
        source=Source.DEVICE,
        dims=(SLOTS,),
    ),
    Result(
        "EnergyHistogram",
        float,
        "Photons of this scan per bin of EnergyAxis.",
        readers.array(lambda p: p.energy_histogram.counts, this_scan=True),
        dims=_HISTOGRAM,
    ),
    Result(
        "EnergyAxis",
        float,
        "Bin centres of EnergyHistogram.",
        readers.array(lambda p: p.energy_histogram.energy, this_scan=True),
        unit="ADU",
        dims=_HISTOGRAM,
    ),
    Result(
        "PhotonCount",
        int,
        "Photons of this scan.",
        readers.count(lambda p: p.photons.count, this_scan=True),
    ),
    Result(
        "PileupFraction",
        float,
        "Share of this scan's photons that overlap others or are above PileupThreshold.",
        readers.number(lambda p: p.photons.pileup_fraction, this_scan=True),
        alarm=health.piles_up,
    ),
    Result(
        "HitDensity",
        float,
        "Pixels above PhotonThreshold per ROI pixel in the newest frame.",
        readers.number(lambda p: p.photons.hit_density, this_scan=True),
    ),
    Result(
        "SkippedFrames",
        int,
        "Frames of this scan that were too dense for photon detection.",
        readers.count(lambda p: p.photons.skipped_frames, this_scan=True),
        alarm=health.skips_frames,
    ),
    Result(
        "Trusted",
        bool,
        "The photons of this scan are what the detector saw.",
        lambda view: bool(view.of_this_scan.photons.trusted),
    ),
    Result(
        "TrustReason",
        str,
        "Why photons are not trusted, or raw data must be kept, and what to do.",
        readers.text(lambda p: p.photons.reason, this_scan=True),
    ),
    Result(
        "PhotonFile",
        str,
        "File of this scan's photons.",
        readers.text(lambda p: p.photons.filename, this_scan=True),
    ),
    Result(
        "UnsafeFrames",
        str,
        "Frames that have neither raw data nor photons in the file, `scan 12: 57-; scan 13: 4-6, "
        "9`; open at the end while it is not known. Kept until AcknowledgeLoss.",
        lambda view: latin(view.unsafe_frames),
        source=Source.DEVICE,
        alarm=lambda view: bool(view.unsafe_frames),
    ),
    Result(
        "AzimuthalIntensity",
        float,
        "Azimuthal mean of the image over AzimuthalQ.",
        readers.array(lambda p: p.azimuthal.intensity),
        dims=_AZIMUTHAL,
    ),
    Result(
        "AzimuthalErrors",
        float,
        "Standard errors of AzimuthalIntensity.",
        readers.array(lambda p: p.azimuthal.intensity_errors),
        dims=_AZIMUTHAL,
    ),
    Result(
        "AzimuthalQ",
        float,
        "Scattering vector of AzimuthalIntensity.",
        readers.array(lambda p: p.azimuthal.q),
        unit="1/angstrom",
        dims=_AZIMUTHAL,
    ),
    Result(
        "ScanNumber",
        int,
        "Counts the scans.",
        lambda view: view.scan.number,
        source=Source.DEVICE,
    ),
    Result(
        "Cameras",
        str,
        "Cameras of this scan; the first stands for the scan where Camera names none.",
        lambda view: list(view.cameras),
        source=Source.DEVICE,
        dims=(len(CAMERAS),),
    ),
    Result(
        "CameraFrames",
        int,
        "Frames of this scan whose results are in, good or failed, of each of Cameras.",
        readers.camera_frames,
        dims=(len(CAMERAS),),
        expert=True,
    ),
    Result(
        "ScanFrames",
        int,
        "Frames of this scan whose results are in, good or failed, of all cameras.",
        readers.count(lambda p: p.scan.processed, this_scan=True),
        expert=True,
    ),
    Result(
        "FramesReceived",
        int,
        "Frames with results since the pipeline began, in whatever order; a difference counts.",
        readers.count(lambda p: p.health.frames),
        expert=True,
    ),
    Result(
        "FramesPerPoint",
        int,
        "Of each camera, as PrepareScan was told; 0: the scan was not prepared here.",
        readers.frames_per_point,
        source=Source.DEVICE,
    ),
    Result(
        "ScanTitle",
        str,
        "Sardana's title of this scan.",
        readers.text(lambda p: p.scan.title, this_scan=True),
    ),
    Result(
        "ScanFinished",
        bool,
        "All results of the scan can be read.",
        lambda view: view.scan.done,
        source=Source.DEVICE,
    ),
    Result(
        "EventsProcessed",
        int,
        "Events of this scan that are done, of EventsTotal.",
        readers.events(lambda progress: progress.completed),
        source=Source.CONTROLLER,
    ),
    Result(
        "EventsTotal",
        int,
        "Frames and records of this scan, and a start and an end event.",
        readers.events(lambda progress: progress.total),
        source=Source.CONTROLLER,
    ),
    Result(
        "FailedFrames",
        int,
        "Frames that could not be used, or never came before StopScan.",
        lambda view: view.failed_frames,
        alarm=health.fails_frames,
    ),
    Result(
        "FrameRate",
        float,
        "Frames per second, over two seconds.",
        lambda view: view.results.frame_rate,
        unit="Hz",
        source=Source.POLL,
    ),
    Result(
        "LastFrameAge",
        float,
        "Time since the newest frame, in whole seconds; from 10 s on in tens, from 100 s on in "
        "hundreds.",
        readers.age,
        unit="s",
        source=Source.POLL,
    ),
    Result(
        "LastError",
        str,
        "The newest error.",
        lambda view: latin(view.last_error),
        source=Source.DEVICE,
    ),
)
"""All but AccumulatedImage, which is fetched on demand."""
