"""The motor axis of a scan, from the NeXus file that Sardana has written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.postprocessing.errors import BadSettings
from pipeline.postprocessing.raw_open import open_raw
from pipeline.protocols.sardana import FRAME_NUMBERS, record_data, scan_description

_BURST_MACRO = "burstscan"
_NO_MOVABLES = ("timestamp", "point_nb")


@dataclass(frozen=True)
class Scan:
    """What the pipeline's records of a scan say."""

    title: str
    number: int
    folder: str
    movables: tuple[str, ...]
    columns: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Numbers by point: of the movables and of all counters."""

    @property
    def points(self) -> int:
        """Number of points."""
        return min(len(self.columns[name]) for name in self.movables)

    def burst(self, frames: int) -> int:
        """Return the number of frames that belong to each point.

        Args:
            frames: of the series, with those that are missing.

        Raises:
            BadSettings: it cannot be told.
        """
        words = self.title.split()
        if words and words[0] == _BURST_MACRO and words[-1].isdigit() and int(words[-1]):
            return int(words[-1])
        if not self.points or frames % self.points:
            raise BadSettings(
                f"scan {self.number} ({self.title}) has {self.points} points, and the series has "
                f"{frames} frames: how many belong to a point cannot be told. Leave --scan out."
            )
        return frames // self.points

    def description(self) -> bytes:
        """Return the message at the scan's start."""
        message = scan_description(self.title, self.number, self.folder, self.movables)
        return json.dumps(message).encode()

    def records(self, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
        """Return a record for each point whose frames were taken.

        Args:
            numbers: of the frames, in the order in which they came.

        Returns:
            How many of the frames come before each record, and its message.

        Raises:
            BadSettings: it cannot be told which frames belong to a point.
        """
        frames = max(numbers) + 1
        burst = self.burst(frames)
        points = min(self.points, -(-frames // burst))
        came = np.array(numbers)
        found = []
        for point in range(points):
            values = {name: column[point] for name, column in self.columns.items()}
            record = record_data(point, values, values.get("timestamp", 0.0))
            end = burst * (point + 1)
            record[FRAME_NUMBERS] = [burst * point, end]
            before = np.flatnonzero(came < end)
            place = int(before[-1]) + 1 if len(before) else 0
            found.append((place, json.dumps(record).encode()))
        return found


def read_scan(text: str) -> Scan:
    """Read a scan from Sardana's NeXus file.

    Args:
        text: path of the file; ``FILE::entry12`` where it has several scans.

    Raises:
        BadSettings: the file has no such scan, or several.
        BadRawFile: it cannot be read.
        StillWritten: Sardana still writes it.
    """
    path, _, entry = text.partition("::")
    with open_raw(Path(path)) as (file, _):
        entries = [name for name in map(str, file) if _is_scan(file, name)]
        entry = entry.strip("/") or (entries[0] if len(entries) == 1 else "")
        if entry not in entries:
            known = ", ".join(entries) or "none"
            example = f"--scan {path}::{entries[-1]}" if entries else "give Sardana's scan file"
            raise BadSettings(f"{path}: which scan is wanted? It has {known}: {example}.")
        return _scan(path, file[entry])


def _is_scan(file: h5py.File, name: str) -> bool:
    return isinstance(file.get(f"{name}/measurement"), h5py.Group)


def _scan(path: str, entry: Any) -> Scan:
    measurement = entry["measurement"]
    columns = {
        name: [float(value) for value in np.atleast_1d(dataset[()])]
        for name, dataset in measurement.items()
        if isinstance(dataset, h5py.Dataset) and dataset.ndim == 1 and dataset.dtype.kind in "iuf"
    }
    title = _text(entry, "title")
    # Macros have their movables among their arguments, in order.
    movables = [word for word in dict.fromkeys(title.split()[1:]) if word in columns]
    movables = movables or [name for name in columns if name not in _NO_MOVABLES][:1]
    if not movables:
        raise BadSettings(f"{path}: scan {entry.name} ({title}) moves nothing: leave --scan out.")
    serial = _text(entry, "entry_identifier")
    return Scan(
        title=title,
        number=int(serial) if serial.isdigit() else 0,
        folder=str(Path(path).parent),
        movables=tuple(movables),
        columns=columns,
    )


def _text(entry: Any, name: str) -> str:
    if name not in entry:
        return ""
    value = entry[name][()]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
