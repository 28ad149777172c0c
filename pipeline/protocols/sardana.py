"""Sardana's scan records, read and written: description, one record a step, end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SARDANA = "sardana"
"""Name of the stream."""

FLUSH_TITLE = "femtotango flush"
"""Title of a description that starts no scan: it asks the workers to flush."""

FRAME_NUMBERS = "femtomax_frames"
"""Key of a record: ``[begin, end]``, the numbers of the frames that belong to its step."""

VOID_BEFORE = "femtomax_void_before"
"""Key of a record: true when the frames of the step before it cannot be told either."""

_DESCRIPTION, _RECORD, _END = "DataDescription", "RecordData", "RecordEnd"


class BadRecord(ValueError):
    """A message that cannot be used; the text names what is wrong with it."""


@dataclass(frozen=True)
class ScanDescription:
    """Start of a scan."""

    values: Mapping[str, Any]
    """The whole message."""


@dataclass(frozen=True)
class FlushRequest:
    """The workers shall flush; no scan starts."""


@dataclass(frozen=True)
class ScanRecord:
    """End of a step: the frames since the previous record belong to its positions."""

    values: Mapping[str, Any]
    """The whole message, with a number for each column."""


@dataclass(frozen=True)
class ScanEnd:
    """End of a scan."""


def parse(parts: Sequence[Any]) -> ScanDescription | FlushRequest | ScanRecord | ScanEnd:
    """Read one message.

    Args:
        parts: its parts, bytes or ZMQ frames; the first one is JSON.

    Raises:
        BadRecord: it is no JSON object with a type, or of a type that is not known.
    """
    try:
        message = json.loads(bytes(getattr(parts[0], "buffer", parts[0])))
        kind = message["type"]
    except (ValueError, IndexError, KeyError, TypeError, RecursionError) as error:
        raise BadRecord(f"message without JSON type: {error}") from error
    if kind == _DESCRIPTION:
        return FlushRequest() if message.get("title") == FLUSH_TITLE else ScanDescription(message)
    if kind == _RECORD:
        return ScanRecord(message)
    if kind == _END:
        return ScanEnd()
    raise BadRecord(f"unknown message type {kind!r}")


def frame_range(record: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the first number of a step's frames and the one after the last.

    Args:
        record: the whole message.

    Returns:
        None when the record does not tell, as those of other recorders.
    """
    numbers = record.get(FRAME_NUMBERS)
    if not isinstance(numbers, list) or [type(number) for number in numbers] != [int, int]:
        return None
    return numbers[0], numbers[1]


def flush_description() -> dict[str, Any]:
    """Return what dranspose's Sardana ingester takes as a description that only asks to flush."""
    return {"serialno": 0, "scandir": "", "title": FLUSH_TITLE}


def data_description(
    title: str,
    serial: int,
    folder: str,
    motor: str,
    limits: tuple[float, float],
    intervals: int,
    counters: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what Sardana sends when a scan starts, with the keys that FemtoMAX records have.

    Args:
        title: the macro and its arguments.
        serial: number of the scan.
        folder: where Sardana writes its files.
        motor: name of the one that moves.
        limits: its first and last position.
        intervals: number of steps, less one.
        counters: names of the numbers that each record has besides.
    """
    columns = [
        {"name": "point_nb", "label": "#Pt No", "dtype": "int64", "shape": []},
        {
            "name": motor,
            "label": motor,
            "dtype": "float64",
            "shape": [],
            "is_reference": True,
            "min_value": limits[0],
            "max_value": limits[1],
            "instrument": "",
        },
        *({"name": name, "label": name, "dtype": "float64", "shape": []} for name in counters),
        {"name": "timestamp", "label": "dt", "dtype": "float64", "shape": []},
    ]
    return {
        "type": _DESCRIPTION,
        "serialno": serial,
        "scandir": folder,
        "title": title,
        "column_desc": columns,
        "ref_moveables": [motor],
        "estimatedtime": 0.0,
        "total_scan_intervals": intervals,
        "starttime": "Thu Nov 21 12:21:01 2024",
        "counters": list(counters),
        "scanfile": ["scan.h5", "stream.daq"],
    }


def scan_description(
    title: str, serial: int, folder: str, movables: Sequence[str]
) -> dict[str, Any]:
    """Return the part of a description that the pipeline needs.

    Args:
        title: the macro and its arguments.
        serial: number of the scan.
        folder: where Sardana writes its files.
        movables: names of those that move, the first one is the axis.
    """
    return {
        "type": _DESCRIPTION,
        "serialno": serial,
        "scandir": folder,
        "title": title,
        "ref_moveables": list(movables),
    }


def record_data(point: int, positions: Mapping[str, float], timestamp: float) -> dict[str, Any]:
    """Return what Sardana sends after each step.

    Args:
        point: number of the step, from 0.
        positions: motor positions, and values of counters, by name.
        timestamp: since the start of the scan [s].
    """
    return {"type": _RECORD, "timestamp": timestamp, "point_nb": point, **positions}


def record_end() -> dict[str, Any]:
    """Return what Sardana sends when a scan has ended."""
    return {"type": _END, "endtime": "Thu Nov 21 12:21:09 2024", "deadtime": 0.0}
