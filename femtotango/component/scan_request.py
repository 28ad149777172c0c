"""What a client may ask of PrepareScan and StartContinuous; pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from femtotango.dranspose_client.trigger_maps import MAX_BURST, MAX_FRAMES, MAX_STEPS
from femtotango.errors import BadRequest, OneCamera, UnknownStream
from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import SARDANA

EXAMPLE = '{"streams": ["pilatus", "sardana"], "steps": 5, "burst": 6}'


@dataclass(frozen=True)
class ScanRequest:
    """A scan of bursts."""

    camera: str
    steps: int
    burst: int
    records: bool
    """Sardana sends a record for each point."""
    separate: bool = False
    """The record comes in an event of its own: frames do not wait for it."""


def parse_request(text: str) -> ScanRequest:
    """Read the argument of PrepareScan.

    Raises:
        BadRequest: no JSON object, a key is missing or a number cannot be used.
        OneCamera, UnknownStream: the streams cannot make a scan.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is a ValueError
        raise BadRequest(f"{text[:80]!r} is not JSON ({error}). Example: {EXAMPLE}") from error
    if not isinstance(raw, dict):
        raise BadRequest(f"Expected an object, got {text[:80]!r}. Example: {EXAMPLE}")
    unknown = sorted(set(raw) - {"streams", "steps", "burst", "separate_record"})
    if unknown:
        raise BadRequest(f"{unknown[0]!r} is not known. Example: {EXAMPLE}")
    streams = raw.get("streams")
    if not isinstance(streams, list) or not all(isinstance(s, str) for s in streams):
        raise BadRequest(f"streams = {streams!r}: expected a list of names. Example: {EXAMPLE}")
    steps = _count(raw, "steps", MAX_STEPS)
    burst = _count(raw, "burst", MAX_BURST)
    if steps * burst > MAX_FRAMES:
        raise BadRequest(
            f"{steps} steps of {burst} frames are {steps * burst} frames; "
            f"one scan can have {MAX_FRAMES}."
        )
    separate = raw.get("separate_record", False)
    if not isinstance(separate, bool):
        raise BadRequest(f"separate_record = {separate!r}: expected true or false.")
    return ScanRequest(one_camera(streams), steps, burst, SARDANA in streams, separate)


def _count(raw: dict[str, Any], key: str, limit: int) -> int:
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limit:
        raise BadRequest(f"{key} = {value!r}: expected a whole number, 1 … {limit}.")
    return value


def one_camera(streams: Sequence[str]) -> str:
    """Return the camera among the streams.

    Raises:
        UnknownStream: a stream that the pipeline does not know.
        OneCamera: two cameras.
        BadRequest: none.
    """
    known = (*CAMERAS, SARDANA)
    for stream in streams:
        if stream not in known:
            raise UnknownStream(f"{stream!r} is no stream; there are {', '.join(known)}.")
    cameras = list(dict.fromkeys(stream for stream in streams if stream in CAMERAS))
    if len(cameras) > 1:
        raise OneCamera(f"{' and '.join(cameras)}: one scan can have one camera only.")
    if not cameras:
        raise BadRequest(f"streams = {list(streams)!r}: one of {', '.join(CAMERAS)} is needed.")
    return cameras[0]


def check_streams(wanted: Iterable[str], there: frozenset[str]) -> None:
    """Check that ingesters bring all streams.

    Raises:
        UnknownStream: one is missing; names what exists.
    """
    missing = sorted(set(wanted) - there)
    if missing:
        raise UnknownStream(
            f"No ingester brings {', '.join(missing)}; there are "
            f"{', '.join(sorted(there)) or 'none'}. Start its ingester, or leave it out."
        )
