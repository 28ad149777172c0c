"""What a scan requests from the pipeline: streams, number of points, frames per point."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from femtotango.sardana.access import COMMAND_TIMEOUT, FemtomaxError
from femtotango.sardana.names import BURST_VARIABLE, STREAMS_VARIABLE
from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import SARDANA

_BURST_NAMES = ("frames_per_point", "burst", "nb_frames", "nr_frames", "nb_triggers")
"""Attributes and parameters in which burst scans keep the number of frames per point."""
BURST_SCAN = "burstscan"
"""Part of the name of macros whose integ_time is minus the number of frames per point."""


@dataclass(frozen=True)
class ScanRequest:
    """The argument of PrepareScan."""

    streams: tuple[str, ...]
    steps: int
    burst: int

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras among the streams."""
        return tuple(stream for stream in self.streams if stream in CAMERAS)

    def to_json(self) -> str:
        """Return the JSON that PrepareScan takes."""
        return json.dumps(
            {
                "streams": list(self.streams),
                "steps": self.steps,
                "burst": self.burst,
                "timeout": COMMAND_TIMEOUT / 1000,
            }
        )


@dataclass(frozen=True)
class Prepared:
    """What the pipeline was prepared for; the recorder goes by it."""

    request: ScanRequest
    cameras: tuple[str, ...] = ()
    """Names of the columns in which the cameras' own channels are."""
    waits: bool = False
    """Channels of the analysis are measured: a point ends when its frames are processed."""
    received: int = 0
    """The device's FramesReceived before the scan."""
    triggered: bool = False
    """Triggers run on without waiting for anybody, as in ascanct and timescan."""


def short_name(stream: str) -> str:
    """Return the part of a stream's name that names the camera: zyla10 of andor3_zyla10."""
    return stream.rsplit("_", 1)[-1]


@dataclass(frozen=True)
class Channel:
    """An enabled channel of a measurement group."""

    name: str
    """Full name, which is also that of its column."""
    texts: tuple[str, ...]
    """Where a camera's name may stand: name, label, controller."""


def channels_of(group: Any) -> tuple[Channel, ...]:
    """Return the enabled channels of a measurement group; none without a group."""
    if group is None:
        return ()
    return tuple(
        Channel(
            info.full_name,
            (info.name, info.label, info.full_name.split("//")[-1].partition("/")[2]),
        )
        for info in group.getChannelsEnabledInfo()
    )


def choose_cameras(named: Any, channels: Iterable[Channel]) -> tuple[str, ...]:
    """Return the cameras of a scan: those that the user named, else those of the channels.

    Args:
        named: value of FemtomaxStreams; None when it is not set.
        channels: of the measurement group.

    Raises:
        FemtomaxError: the measurement group has other cameras than those named.
    """
    measured = cameras_in(channel.texts for channel in channels)
    if not named:
        return measured
    cameras = tuple(stream for stream in streams_from(named) if stream in CAMERAS)
    if measured and not set(cameras) & set(measured):
        raise FemtomaxError(
            f"{STREAMS_VARIABLE} is {', '.join(cameras)}, but the measurement group has "
            f"{', '.join(measured)}: usenv {STREAMS_VARIABLE}, or choose another group."
        )
    return cameras


def cameras_in(channels: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return the camera streams that are named by channels of a measurement group.

    Args:
        channels: name, label and source of each enabled channel.
    """
    names = [" ".join(texts).lower() for texts in channels]
    return tuple(stream for stream in CAMERAS if any(short_name(stream) in text for text in names))


def streams_from(value: Any) -> tuple[str, ...]:
    """Read the streams that a user wrote: names with commas between them, or a list.

    Raises:
        FemtomaxError: one is not the name of a stream.
    """
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, Sequence):
        raise FemtomaxError(f"{STREAMS_VARIABLE} = {value!r}: expected names of streams.")
    known = {name: name for name in (*CAMERAS, SARDANA)}
    known.update({short_name(name): name for name in CAMERAS})
    streams: list[str] = []
    for word in filter(None, (str(word).strip().lower() for word in words)):
        if word not in known:
            raise FemtomaxError(f"{word!r} is no stream: use {', '.join((*CAMERAS, SARDANA))}.")
        streams.append(known[word])
    return tuple(dict.fromkeys(streams))


def points_of(scan: Any, environment: Any) -> int:
    """Return the number of points of a running scan.

    Args:
        scan: the scan macro.
        environment: its GScan environment, a dict.

    Raises:
        FemtomaxError: the scan does not know its number of points.
    """
    points = getattr(scan, "nb_points", None)
    if points is None:
        intervals = environment.get("total_scan_intervals") or -1
        points = intervals + 1 if intervals > 0 else None
    if points is None or not 1 <= points < float("inf"):
        raise FemtomaxError(
            f"{scan.getName()} does not tell its number of points: "
            "use a step scan, or femto_continuous on."
        )
    return int(points)


def burst_of(scan: Any, parameters: Iterable[tuple[str, Any]], variable: Any) -> int:
    """Return the frames per point of a running scan.

    Args:
        scan: the scan macro; a burst scan may have the number as an attribute,
        parameters: or among its parameters, given as names and values.
        variable: value of the environment variable; None when it is not set.

    Raises:
        FemtomaxError: the number is not positive.
    """
    given = dict(parameters)
    found: Any = _minus_integ_time(scan)
    for name in _BURST_NAMES if found is None else ():
        value = getattr(scan, name, given.get(name))
        if isinstance(value, int | float) and not isinstance(value, bool):
            found = value
            break
    if found is None:
        found = 1 if variable is None else variable
    try:
        burst = int(found)
    except (TypeError, ValueError):
        burst = 0
    if burst < 1:
        raise FemtomaxError(
            f"{found!r} frames per point: expected 1 or more. Correct the scan or {BURST_VARIABLE}."
        )
    return burst


def _minus_integ_time(scan: Any) -> int | None:
    """Return the frames per point of FemtoMAX's burst scans, None for other macros.

    Elsewhere a negative time means monitor counts.
    """
    time = getattr(scan, "integ_time", None)
    if BURST_SCAN not in scan.getName().lower() or not isinstance(time, int | float):
        return None
    return round(-time) if time < 0 else None


def summary(scan: Any, request: ScanRequest) -> str:
    """Say in one line what a scan was understood as.

    Args:
        scan: the scan macro; None: there is none.
        request: what is requested from the pipeline.
    """
    cameras = request.cameras
    points = f"{request.steps} point" + "s" * (request.steps != 1)
    frames = f"{request.burst} frame" + "s" * (request.burst != 1)
    if scan is not None and _minus_integ_time(scan) == request.burst:
        frames += f" (integ_time {scan.integ_time:g})"
    records = "with records" if SARDANA in request.streams else "no records"
    name = "" if scan is None else f" of {scan.getName()}"
    return f"Live analysis{name}: {', '.join(cameras)}, {points} x {frames}, {records}."
