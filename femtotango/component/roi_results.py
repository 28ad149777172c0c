"""Rows of the table of results that exist for each slot of a ROI, and for each number of a fit."""

from functools import partial

from femtotango.component import result_readers as readers
from femtotango.component.result_row import Result
from femtotango.component.roi_slots import SLOTS
from pipeline.protocols.snapshot import MAX_CURVE_POINTS

_CHANNELS = {
    "x": "centre of mass along x, above the border's level,",
    "y": "centre of mass along y, above the border's level,",
    "sum": "sum",
}
"""Statistics that each slot has whatever RoiStatistic is."""


def fit_results() -> list[Result]:
    """Return two rows for each number of a fit: the number and its standard error."""
    meanings = {
        "centre": ("Centre of the fitted peak or step, on XAxis.", "centre"),
        "fwhm": ("Full width at half maximum, on XAxis.", "width"),
        "height": ("Height above FitOffset; negative for a dip.", "height"),
        "offset": ("Level beside the peak, or before the step.", "offset"),
    }
    rows = []
    for name, (meaning, word) in meanings.items():
        attribute = f"Fit{name.capitalize()}"
        doc = f"{meaning} NaN without a fit: FitStatus says why."
        rows.append(Result(attribute, float, doc, partial(readers.fitted, name)))
        doc = f"Standard error of the fitted {word}."
        rows.append(Result(f"{attribute}Error", float, doc, partial(readers.fit_error, name)))
    return rows


def slot_results() -> list[Result]:
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
