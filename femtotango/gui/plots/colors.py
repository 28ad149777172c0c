"""Colours that mean the same in the image, the tables and the curves."""

PHOTON_ROI = "#ff7f0e"
"""Used for the photon ROI only."""

WAITING = "#9e9e9e"

REFUSED = "background: #ffd6d6; color: #8e0000"
"""Style of a field whose text cannot be used."""

_ROIS = ("#ff4040", "#1fb4ff", "#35c435", "#d65fe0", "#f2d600", "#00c9b7", "#ff8fb8", "#a0a0ff")
_RINGS = ("#4f8cff", "#ff4d4d", "#4dff4d", "#ff7de9", "#ffff4d", "#4dffff", "#ffb84d", "#c08cff")

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
