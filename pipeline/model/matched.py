"""The setting that has photons searched with a matched filter instead of by sums of nine pixels."""

import json
import math
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from pipeline.model.cameras import CAMERAS, check_camera

CLOUD_LIMITS = (0.25, 3.0)
"""σ of a cloud for which the filter works [pixel]."""


@dataclass(frozen=True)
class MatchedSettings:
    """How the matched filter searches photons; those of one camera, which the calibration is of."""

    camera: str
    """Stream of the camera whose photons are searched."""
    calibration: str = ""
    """Path of the calibration; empty: post-processing makes one from the frames themselves."""
    cloud: float = 0.0
    """σ of a photon's cloud [pixel]; 0: post-processing takes that of the photons themselves."""
    false_per_frame: float = 1.0
    """Maxima of the noise that are accepted as photons, per frame."""


@lru_cache(maxsize=64)
def parse_matched(text: str) -> MatchedSettings | None:
    """Read the setting from JSON; an empty text means that there is no matched filter.

    Raises:
        ValueError: it is neither empty nor such an object; the text says what is expected.
    """
    if not text.strip():
        return None
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"matched_filter: {text[:80]!r} is not JSON ({error}).") from error
    if raw is None or raw == {}:
        return None
    names = [field.name for field in fields(MatchedSettings)]
    if not isinstance(raw, dict) or not set(raw) <= set(names):
        raise ValueError(
            f"matched_filter: {text[:80]!r}: expected a JSON object with {', '.join(names)}."
        )
    return _checked(raw)


def format_matched(matched: MatchedSettings | None) -> str:
    """Write the setting as the JSON that `parse_matched` reads."""
    return "" if matched is None else json.dumps(vars(matched), ensure_ascii=False)


def _checked(raw: dict[str, Any]) -> MatchedSettings:
    camera = raw.get("camera", "")
    if not isinstance(camera, str) or not camera or CAMERAS[check_camera(camera)].photon_counting:
        known = ", ".join(name for name, one in CAMERAS.items() if not one.photon_counting)
        raise ValueError(f"matched_filter: camera = {camera!r}: expected one of {known}.")
    calibration = raw.get("calibration", "")
    if not isinstance(calibration, str):
        raise ValueError(f"matched_filter: calibration = {calibration!r}: expected a path.")
    cloud = _number(raw, "cloud", 0.0)
    low, high = CLOUD_LIMITS
    if cloud != 0 and not low <= cloud <= high:
        raise ValueError(f"matched_filter: cloud = {cloud:g}: expected 0, or {low} … {high} pixel.")
    rate = _number(raw, "false_per_frame", 1.0)
    if not rate > 0:
        raise ValueError(f"matched_filter: false_per_frame = {rate:g}: expected more than 0.")
    return MatchedSettings(camera, calibration, cloud, rate)


def _number(raw: dict[str, Any], name: str, default: float) -> float:
    value = raw.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"matched_filter: {name} = {value!r}: expected a number.")
    return float(value)
