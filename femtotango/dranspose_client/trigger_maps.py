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


def _group(camera: str) -> int:
    return GROUP if CAMERAS[camera].frame_bytes <= GROUPED_BYTES else 1


def _one(constraint: int) -> Entry:
    return [{"tags": ["generic"], "constraint": constraint}]


def _part(
    camera: str, frames: int, group: int, record_every: int | None, separate: bool = False
) -> dict[str, list[Entry]]:
    """Map frames to workers, each `record_every`-th one together with a Sardana record.

    Args:
        camera: the stream of the frames.
        frames: how many.
        group: so many in a row go to the same worker.
        record_every: frames per record; None: there are no records.
        separate: the record follows in an event of its own, at the same worker.
    """
    if record_every is not None and separate:
        images: list[Entry] = []
        records: list[Entry] = []
        for i in range(frames):
            images.append(_one(i // group))
            records.append(None)
            if (i + 1) % record_every == 0:
                images.append(None)
                records.append(_one(i // group))
        return {camera: images, SARDANA: records}
    part: dict[str, list[Entry]] = {camera: [_one(i // group) for i in range(frames)]}
    if record_every is not None:
        part[SARDANA] = [
            _one(i // group) if (i + 1) % record_every == 0 else None for i in range(frames)
        ]
    return part


def scan_map(
    camera: str, steps: int, burst: int, records: bool, separate: bool = False
) -> TriggerMap:
    """Map a scan of bursts.

    Args:
        camera: the stream of the frames.
        steps: number of points.
        burst: frames per point.
        records: a Sardana record comes with the last frame of each point.
        separate: it has an event of its own behind that frame. An event is processed when all
            its parts are in, and a Sardana channel that waits for the frames of a point waits
            before Sardana can write the record.

    Returns:
        A map of ``steps * burst + 2`` events, and `steps` more for records of their own.
    """
    group = 1 if steps * burst < GROUPED_FROM else _group(camera)
    if burst <= PART:
        points = min(steps, PART // burst)
        every = burst if records else None
        parts = {"points": _part(camera, points * burst, group, every, separate)}
        sequence = ["points"] * (steps // points)
        if steps % points:
            parts["rest"] = _part(camera, steps % points * burst, group, every, separate)
            sequence.append("rest")
    else:
        whole, rest = divmod(burst - 1, PART)
        frames = _part(camera, PART, group, None)
        last = _part(camera, rest + 1, group, rest + 1 if records else None, separate)
        if records:
            frames[SARDANA] = [None] * PART
        parts = {"frames": frames, "last": last}
        sequence = (["frames"] * whole + ["last"]) * steps
    return TriggerMap(parts, sequence, wrap=True)


def continuous_map(camera: str, flush: bool) -> TriggerMap:
    """Map a million frames without records.

    Args:
        camera: the stream of the frames.
        flush: the first event is a Sardana description for all workers, upon which they flush
            what they have buffered. The start event that the controller adds would come first and
            wait for the camera's header, so the map has a start event of its own.
    """
    group = _group(camera)
    parts: dict[str, Part] = {
        "start": {camera: [_ALL]},
        "frames": _part(camera, PART, group, None),
    }
    sequence = ["start"] + ["frames"] * CONTINUOUS_PARTS
    if flush:
        parts["flush"] = {SARDANA: [_ALL]}
        sequence.insert(0, "flush")
    return TriggerMap(parts, sequence, wrap=False)


def flush_map() -> TriggerMap:
    """Map one Sardana description to all workers, upon which they flush what they have buffered."""
    return TriggerMap({"flush": {SARDANA: [_ALL]}}, ["flush"], wrap=False)
