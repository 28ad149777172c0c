"""Paths of the datasets that clients read one by one; each stands in the table."""

from pipeline.protocols.groups import rows
from pipeline.protocols.snapshot import Published

_PATHS = frozenset(row.path for row in rows(Published))


def _path(path: str) -> str:
    if path not in _PATHS:
        raise KeyError(path)
    return path


REVISION = _path("revision")
IMAGE = _path("image")
SNAPSHOT = _path("snapshot")
CURVES = _path("curves")
SNAPSHOT_WITH_CURVES = _path("snapshot_with_curves")
FRAME_SAFETY = _path("frame_safety")
IMAGE_ROIS = _path("image_rois")
ACCUMULATED_NUMBER = _path("accumulated_number")
FRAMES = _path("health/frames")
SUM_FRAMES = _path("sum_frames")
FRAMES_SEEN = _path("frames_seen")
"""Datasets that clients read one by one."""


def camera_path(stream: str, name: str) -> str:
    """Return where a dataset of an image is for one camera."""
    _path(f"cameras/<camera>/{name}")
    return f"cameras/{stream}/{name}"
