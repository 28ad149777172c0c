"""What a client may ask of PrepareScan and StartContinuous; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from femtotango.component.json_request import read_object
from femtotango.dranspose_client.trigger_maps import MAX_BURST, MAX_FRAMES, MAX_STEPS
from femtotango.errors import BadRequest, UnknownStream
from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import SARDANA

EXAMPLE = '{"streams": ["pilatus", "sardana"], "steps": 5, "burst": 6, "timeout": 15}'
_KEYS = ("streams", "steps", "burst", "separate_record", "timeout")
DEFAULT_TIMEOUT = 20.0
"""A client waits so long for PrepareScan unless it says otherwise [s]."""
_MAX_TIMEOUT = 3600.0


@dataclass(frozen=True)
class ScanRequest:
    """A scan of bursts."""

    cameras: tuple[str, ...]
    """Their streams; each sends the same number of frames."""
    steps: int
    burst: int
    """Frames per point and camera."""
    records: bool
    """Sardana sends a record for each point."""
    timeout: float = DEFAULT_TIMEOUT
    """After so long the client has given up, and nothing may begin any more [s]."""


def parse_request(text: str) -> ScanRequest:
    """Read the argument of PrepareScan.

    Raises:
        BadRequest: no JSON object, a key is missing or a number cannot be used.
        UnknownStream: the pipeline does not know one of the streams.
    """
    raw = read_object(text, _KEYS, EXAMPLE)
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
    # Earlier versions could be told so; now each record has an event of its own.
    separate = raw.get("separate_record", True)
    if not isinstance(separate, bool):
        raise BadRequest(f"separate_record = {separate!r}: expected true or false.")
    timeout = _timeout(raw.get("timeout", DEFAULT_TIMEOUT))
    return ScanRequest(cameras_in(streams), steps, burst, SARDANA in streams, timeout)


def _timeout(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= _MAX_TIMEOUT:
        raise BadRequest(
            f"timeout = {value!r}: expected the client's time-out, above 0 and up to "
            f"{_MAX_TIMEOUT:g} s. Example: {EXAMPLE}"
        )
    return float(value)


def _count(raw: dict[str, Any], key: str, limit: int) -> int:
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limit:
        raise BadRequest(f"{key} = {value!r}: expected a whole number, 1 … {limit}.")
    return value


def cameras_in(streams: Sequence[str]) -> tuple[str, ...]:
    """Return the cameras among the streams, each once, in the order in which they stand there.

    Raises:
        UnknownStream: a stream that the pipeline does not know.
        BadRequest: there is no camera.
    """
    known = (*CAMERAS, SARDANA)
    for stream in streams:
        if stream not in known:
            raise UnknownStream(f"{stream!r} is no stream; there are {', '.join(known)}.")
    cameras = tuple(dict.fromkeys(stream for stream in streams if stream in CAMERAS))
    if not cameras:
        raise BadRequest(f"streams = {list(streams)!r}: one of {', '.join(CAMERAS)} is needed.")
    return cameras


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
