"""Colours that mean the same in the image, the tables and the curves."""

from collections.abc import Mapping, Sequence

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

_ON_WHITE = "#9a9a9a"
"""Of a white ring's line in a curve on white."""

_OF_CAMERAS = (
    ("#ff4040", "#ff8c5a", "#c8201e", "#ff8fb8", "#e0561b"),
    ("#1fb4ff", "#7fd0ff", "#2f6fe0", "#00c9b7", "#8fa2ff"),
    ("#35c435", "#a3e05a", "#1f8f4d", "#d6e04a", "#6fdc9f"),
    ("#d65fe0", "#f0a0ff", "#9a4ad0", "#ff7de9", "#b98cff"),
)
"""Shades for the ROIs of each camera: red, blue, green, violet."""

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


def roi_colors(cameras_of_rois: Mapping[str, str], cameras: Sequence[str]) -> dict[str, str]:
    """Return the colour of each ROI by name: of one camera all differ, of several by camera.

    Args:
        cameras_of_rois: stream of the camera of each ROI, by name.
        cameras: of the scan, in their order.
    """
    several = len(set(cameras) | set(cameras_of_rois.values())) > 1
    if not several:
        return {name: roi_color(index) for index, name in enumerate(cameras_of_rois)}
    order = list(dict.fromkeys((*cameras, *cameras_of_rois.values())))
    seen = dict.fromkeys(order, 0)
    colors = {}
    for name, camera in cameras_of_rois.items():
        shades = _OF_CAMERAS[order.index(camera) % len(_OF_CAMERAS)]
        colors[name] = shades[seen[camera] % len(shades)]
        seen[camera] += 1
    return colors


def ring_color(index: int) -> str:
    """Return the colour of the n-th q value."""
    return _RINGS[index % len(_RINGS)]


def line_color(index: int, background: str) -> str:
    """Return the colour of the n-th q value's line on a background; white on white is grey."""
    color = ring_color(index)
    return _ON_WHITE if color == background else color
