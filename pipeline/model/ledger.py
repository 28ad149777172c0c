"""What is in a sum, in one text: scans, frames, settings, dark level, mask."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from pipeline.model.cameras import CAMERAS
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings


def ledger(
    detector: str,
    unit: str,
    count: int,
    frames: Iterable[tuple[str, FrameRanges]],
    settings: Settings,
) -> str:
    """Return what is in a sum, as JSON.

    Args:
        detector: stream name of the camera.
        unit: of the pixels.
        count: frames in the sum.
        frames: labels of the scans, each with its frames.
        settings: of the newest frame.

    Returns:
        An object with ``detector``, ``unit``, ``count``, ``scans`` (each with ``scan`` and
        ``frames``, first and last of each range), ``settings`` and ``settings_hash`` (SHA-256 of
        the settings as JSON with sorted keys), ``dark`` (uniform level [ADU raw]; null: none is
        subtracted), ``mask`` (null: only the camera's own masked pixels are left out).
    """
    values = settings.values()
    camera = CAMERAS.get(detector)
    dark: Any = None
    if camera is not None and not camera.photon_counting:
        dark = {"background": settings.background}
    return json.dumps(
        {
            "detector": detector,
            "unit": unit,
            "count": count,
            "scans": [{"scan": scan, "frames": ranges.as_tuple()} for scan, ranges in frames],
            "settings": values,
            "settings_hash": hashlib.sha256(
                json.dumps(values, sort_keys=True).encode()
            ).hexdigest(),
            "dark": dark,
            "mask": None,
        }
    )
