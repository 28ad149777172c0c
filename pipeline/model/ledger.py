"""What is in a sum, in one text: scans, frames, settings, dark level, mask."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.model.cameras import CAMERAS
from pipeline.model.correction_files import parse_corrections
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings


def ledger(
    detector: str,
    unit: str,
    count: int,
    frames: Iterable[tuple[str, FrameRanges]],
    settings: Settings,
    corrections: Mapping[str, int] | None = None,
) -> str:
    """Return what is in a sum, as JSON.

    Args:
        detector: stream name of the camera.
        unit: of the pixels.
        count: frames in the sum.
        frames: labels of the scans, each with its frames.
        settings: of the newest frame.
        corrections: how many frames had which, as JSON, the newest last; None: there were none.

    Returns:
        An object with ``detector``, ``unit``, ``count``, ``scans`` (each with ``scan`` and
        ``frames``, first and last of each range), ``settings`` and ``settings_hash`` (SHA-256 of
        the settings as JSON with sorted keys), ``dark`` (its file, or the uniform level [ADU raw];
        null: none is subtracted), ``mask`` (its file, and the factor of noisy pixels; null: only
        the camera's own masked pixels are left out). Where frames had different ones, these two
        are of the newest, and ``corrections`` has all of them, each with its ``frames``.
    """
    values = settings.values()
    kinds = {text: frames for text, frames in (corrections or {"": count}).items() if frames}
    named = [{"frames": n, **_named(detector, text, settings)} for text, n in kinds.items()]
    newest = named[-1] if named else _named(detector, "", settings)
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
            "dark": newest["dark"],
            "mask": newest["mask"],
            **({"corrections": named} if len(named) > 1 else {}),
        }
    )


def _named(detector: str, text: str, settings: Settings) -> dict[str, Any]:
    """Return the dark level and the mask of some frames, as they stand in the ledger."""
    used = parse_corrections(text)
    camera = CAMERAS.get(detector)
    dark: Any = None
    if used.dark is not None:
        dark = used.dark.as_dict()
    elif camera is not None and not camera.photon_counting:
        dark = {"background": settings.background}
    mask: Any = None
    if used.masks:
        file = {} if used.mask is None else used.mask.as_dict()
        mask = {**file, **({"noise": used.mask_noise} if used.mask_noise else {})}
    return {"dark": dark, "mask": mask}
