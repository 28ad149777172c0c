"""The attributes of the fit of a peak or step to a ROI curve."""

from functools import partial

from femtotango.component import result_readers as readers
from femtotango.component.result_row import Result
from femtotango.text_encoding import latin
from pipeline.protocols.snapshot import MAX_CURVE_POINTS


def _numbers() -> list[Result]:
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


FIT_RESULTS: tuple[Result, ...] = (
    *_numbers(),
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
)
