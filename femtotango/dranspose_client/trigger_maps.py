"""Trigger maps: which event of which stream goes to which worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import SARDANA

PART = 1000
"""Most events in one part: the controller is slow with many parts and with big ones."""
CONTINUOUS_PARTS = 1000
"""Parts of a continuous run."""
GROUP = 8
"""Frames in a row that go to the same worker, which saves the controller a round trip for each."""
GROUPED_FROM = 200
"""Frames of a scan from which on they go to the workers in groups; less are spread one by one."""
GROUPED_BYTES = 16_000_000
"""Larger frames are never grouped: eight of them would wait in one worker."""
MAX_STEPS = 100_000
MAX_BURST = 100_000
"""Frames per step."""
MAX_FRAMES = 1_000_000
"""Frames per scan."""


class Destination(TypedDict):
    """Where a stream's part of an event goes, as dranspose calls it."""

    tags: list[str]
    """Kinds of workers."""
    constraint: NotRequired[int]
    """Events of the same number go to the same worker; without one: to all workers."""


Entry = list[Destination] | None
"""A stream's part of one event; None: the event has none of that stream."""
Part = Mapping[str, Sequence[Entry]]
"""Events by stream, equally many of each."""

_ALL: list[Destination] = [{"tags": ["generic"]}]
"""Every worker."""


@dataclass(frozen=True)
class TriggerMap:
    """What is posted to the controller."""

    parts: Mapping[str, Part]
    """By name."""
    sequence: Sequence[str]
    """Names of the parts, in the order in which they are run through."""
    wrap: bool
    """The controller adds a start and an end event, which go to all workers."""

    @property
    def events(self) -> int:
        """Number of events, with those that the controller adds."""
        lengths = {name: len(next(iter(part.values()))) for name, part in self.parts.items()}
        return sum(lengths[name] for name in self.sequence) + 2 * self.wrap


def _group(cameras: Sequence[str]) -> int:
    small = all(CAMERAS[camera].frame_bytes <= GROUPED_BYTES for camera in cameras)
    return GROUP if small else 1


def _one(constraint: int) -> Entry:
    return [{"tags": ["generic"], "constraint": constraint}]


def _part(
    cameras: Sequence[str], shots: int, group: int, record_every: int | None
) -> dict[str, list[Entry]]:
    """Map the frames of some shots to workers.

    Each frame has an event of its own, and so has each record, behind the frames of its point:
    what does not come holds up nothing else (decision 11).

    Args:
        cameras: the streams of the frames; those of a shot go to the same worker.
        shots: how many.
        group: so many in a row go to the same worker.
        record_every: shots per record; None: there are no records.
    """
    events: list[tuple[str, Entry]] = []
    for shot in range(shots):
        worker = _one(shot // group)
        events += [(camera, worker) for camera in cameras]
        if record_every is not None and (shot + 1) % record_every == 0:
            events.append((SARDANA, worker))
    streams = [*cameras, *([SARDANA] if record_every is not None else [])]
    return {s: [entry if stream == s else None for stream, entry in events] for s in streams}


def scan_map(cameras: Sequence[str], steps: int, burst: int, records: bool) -> TriggerMap:
    """Map a scan of bursts.

    Args:
        cameras: the streams of the frames; each sends ``steps * burst``.
        steps: number of points.
        burst: shots per point.
        records: a Sardana record follows the frames of each point.

    Returns:
        A map with an event for each frame and each record, and two for start and end of all.
    """
    group = 1 if steps * burst < GROUPED_FROM else _group(cameras)
    every = burst if records else None
    parts: dict[str, Part] = {}
    sequence: list[str]
    if burst * len(cameras) + records <= PART:
        points = min(steps, PART // (burst * len(cameras) + records))
        parts["points"] = _part(cameras, points * burst, group, every)
        sequence = ["points"] * (steps // points)
        if steps % points:
            parts["rest"] = _part(cameras, steps % points * burst, group, every)
            sequence.append("rest")
    else:
        size = PART // (len(cameras) + records)
        whole, rest = divmod(burst - 1, size)
        if whole:
            parts["frames"] = _part(cameras, size, group, None)
        parts["last"] = _part(cameras, rest + 1, group, rest + 1 if records else None)
        sequence = (["frames"] * whole + ["last"]) * steps
    return TriggerMap(parts, sequence, wrap=True)


def continuous_map(cameras: Sequence[str], flush: bool) -> TriggerMap:
    """Map a million frames without records.

    Args:
        cameras: the streams of the frames.
        flush: the first event is a Sardana description for all workers, upon which they flush
            what they have buffered. The start event that the controller adds would come first and
            wait for the camera's header, so the map has a start event of its own.
    """
    group = _group(cameras)
    parts: dict[str, Part] = {
        "start": {camera: [_ALL] for camera in cameras},
        "frames": _part(cameras, PART // len(cameras), group, None),
    }
    sequence = ["start"] + ["frames"] * CONTINUOUS_PARTS
    if flush:
        parts["flush"] = {SARDANA: [_ALL]}
        sequence.insert(0, "flush")
    return TriggerMap(parts, sequence, wrap=False)


def flush_map() -> TriggerMap:
    """Map one Sardana description to all workers, upon which they flush what they have buffered."""
    return TriggerMap({"flush": {SARDANA: [_ALL]}}, ["flush"], wrap=False)
