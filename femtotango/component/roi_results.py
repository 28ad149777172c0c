"""The attributes of ROIs: the newest frame's values, sums over the scan, and slots."""

import math
from functools import partial

from femtotango.component import result_readers as readers
from femtotango.component.result_row import Result, Source
from femtotango.component.roi_slots import SLOTS
from pipeline.model.roi import MAX_ROIS
from pipeline.model.roi_statistics import STATISTICS
from pipeline.protocols.snapshot import MAX_CURVE_POINTS

_CHANNELS = {
    "x": "centre of mass along x, above the border's level,",
    "y": "centre of mass along y, above the border's level,",
    "sum": "sum",
}
"""Statistics that each slot has whatever RoiStatistic is."""


def _slots() -> list[Result]:
    """Return the rows of all slots: newest values, and the curve."""
    rows = []
    for slot in range(SLOTS):
        number = slot + 1
        rows.append(
            Result(
                f"Roi{number}Mean",
                float,
                f"Newest frame's value of the ROI in slot {number} (see RoiSlots, RoiStatistic).",
                partial(readers.slot_mean, slot),
            )
        )
        for statistic, meaning in _CHANNELS.items():
            rows.append(
                Result(
                    f"Roi{number}{statistic.capitalize()}",
                    float,
                    f"Newest frame's {meaning} of the ROI in slot {number}.",
                    partial(readers.slot_statistic, slot, statistic),
                    unit="pixel" if statistic in ("x", "y") else "",
                )
            )
        rows.append(
            Result(
                f"Roi{number}Curve",
                float,
                f"Values of the ROI in slot {number} over XAxis.",
                partial(readers.slot_curve, slot),
                dims=(MAX_CURVE_POINTS,),
            )
        )
    return rows


ROI_RESULTS: tuple[Result, ...] = (
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
    *_slots(),
    Result(
        "RoiSlots",
        str,
        "Name of the ROI in each of the eight slots; empty: free.",
        lambda view: list(view.slots),
        source=Source.DEVICE,
        dims=(SLOTS,),
    ),
)
