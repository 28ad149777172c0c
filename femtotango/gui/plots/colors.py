"""Colours that mean the same in the image, the tables and the curves."""

PHOTON_ROI = "#ff7f0e"
"""Used for the photon ROI only."""

WAITING = "#9e9e9e"

REFUSED = "background: #ffd6d6; color: #8e0000"
"""Style of a field whose text cannot be used."""

_ROIS = ("#d55e00", "#56b4e9", "#cc79a7", "#009e73", "#e6c619", "#0072b2", "#a6761d", "#999999")
_RINGS = ("#56b4e9", "#f0e442", "#ff8c42", "#ffffff", "#2fbf8f", "#e6a6cb", "#6f9fff", "#c9b18a")
"""After Okabe and Ito (jfly.uni-koeln.de/color): told apart with any kind of colour blindness.

ROIs are seen on white in curves, rings on dark in images; the first of both differ.
"""

STATES = {
    "ON": "#2e9e3f",
    "RUNNING": "#1f77d0",
    "ALARM": "#e08a00",
    "FAULT": "#c62828",
    "UNKNOWN": WAITING,
}
"""Background of the state label; white text is readable on each."""


def roi_color(index: int) -> str:
    """Return the colour of the n-th ROI."""
    return _ROIS[index % len(_ROIS)]


def ring_color(index: int) -> str:
    """Return the colour of the n-th q value."""
    return _RINGS[index % len(_RINGS)]
