"""Continue the photon file that a process before this one was writing when it was killed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.files.hdf5_append import AppendFile
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.protocols.batch import FrameStatus

NOT_SEEN = (FrameStatus.NEVER_CAME, FrameStatus.FAILED)
"""No message with such a frame's number was seen: it may come after all."""
_ROWS = 1_000_000
"""Read together."""
_MARGIN = 2.0
"""Files have their time to the second [s]."""


@dataclass(frozen=True)
class Existing:
    """What is known of the file that the process before was writing."""

    path: str = ""
    since: float = 0.0
    """Where the path is not known: it was made after this, epoch [s]; 0: there is none."""


NO_FILE = Existing()


@dataclass(frozen=True)
class Resumed:
    """A file that can grow again."""

    file: AppendFile
    settings: Settings
    """Those that it was made with."""
    newest_settings: str
    """Those of its newest searched frame, as JSON."""
    edges: NDArray[np.float64]
    """Of its histogram's bins [ADU]."""
    counts: NDArray[np.int64]
    present: FrameRanges
    """The frames that have a row."""
    searched: FrameRanges
    """Of them, those whose photons are in the file."""
    not_seen: Mapping[int, int]
    """The row of each frame that may come after all."""


def find(existing: Existing, wanted: Path, raw: str) -> Path | None:
    """Return the file to continue; None: there is none.

    Args:
        existing: what is known of it.
        wanted: its name, where no number was appended.
        raw: absolute path of the raw file.
    """
    if existing.path:
        path = Path(existing.path)
        return path if path.exists() else None
    if not existing.since:
        return None
    numbered = wanted.parent.glob(f"{wanted.stem}*{wanted.suffix}")
    return next((path for path in sorted(numbered) if _is_it(path, existing.since, raw)), None)


def _is_it(path: Path, since: float, raw: str) -> bool:
    try:
        with h5py.File(path, locking=False) as file:
            entry: Any = file["entry"]
            begun = datetime.fromisoformat(_text(entry["start_time"])).timestamp()
            return _text(entry["raw_file"]) == raw and begun >= since - _MARGIN
    except (OSError, KeyError, ValueError):
        return False


def resume(path: Path) -> Resumed | None:
    """Open a file whose writer was killed; rows of which only a part was written are cut off.

    Args:
        path: of the file.

    Returns:
        The file; None: its tables do not fit together, so that it cannot go on.

    Raises:
        OSError: it cannot be opened or written.
    """
    with h5py.File(path, locking=False) as file:
        entry: Any = file["entry"]
        frames, photons = _table(entry["frames"]), _table(entry["photons"])
        rows = min(map(len, frames.values()))
        number, status, count = (frames[name][:rows] for name in ("frame", "status", "photons"))
        total = int(count.sum())
        if min(map(len, photons.values())) < total or not _fits(photons["frame"], number, count):
            return None
        settings = _settings(_text(entry["process/parameters"]))
        changes = _table(entry["process/changes"])
        newest = changes["settings"][-1:] if len(changes["frame"]) else np.empty(0, "S1")
        edges = histogram_edges(settings)
        counts = np.zeros(max(len(edges) - 1, 0), np.int64)
        for energy in _parts(photons["energy"], total) if len(counts) else ():
            counts += np.histogram(energy, edges)[0]
        kept = {"frames": rows, "photons": total, "process/changes": _shortest(changes)}
        names = {group: list(entry[group]) for group in kept}
    append = AppendFile(path)
    try:
        for group, length in kept.items():
            for name in names[group]:
                append.shorten(f"entry/{group}/{name}", length)
    except BaseException:
        append.abandon()
        raise
    return Resumed(
        file=append,
        settings=settings,
        newest_settings=newest[0].decode() if len(newest) else "",
        edges=edges,
        counts=counts,
        present=_ranges(number),
        searched=_ranges(number[status == FrameStatus.SEARCHED.value]),
        not_seen={
            int(number[i]): int(i)
            for i in np.flatnonzero(np.isin(status, [what.value for what in NOT_SEEN]))
        },
    )


def histogram_edges(settings: Settings) -> NDArray[np.float64]:
    """Return the edges of the histogram's bins [ADU]; none when it is empty."""
    low, high = settings.histogram_min, settings.histogram_max
    return np.linspace(low, high, settings.histogram_bins + 1) if low < high else np.empty(0)


def _ranges(numbers: NDArray[Any]) -> FrameRanges:
    ascending = np.unique(numbers)
    runs = np.split(ascending, np.flatnonzero(np.diff(ascending) > 1) + 1)
    return FrameRanges((int(run[0]), int(run[-1])) for run in runs if len(run))


def _table(group: Any) -> dict[str, Any]:
    return {name: group[name] for name in group}


def _shortest(table: Mapping[str, Any]) -> int:
    return min(map(len, table.values()))


def _parts(column: Any, length: int) -> Iterator[NDArray[Any]]:
    for first in range(0, length, _ROWS):
        yield column[first : min(length, first + _ROWS)]


def _fits(column: Any, number: NDArray[Any], count: NDArray[Any]) -> bool:
    """Say whether each frame has as many photons as its row says."""
    found: dict[int, int] = {}
    for part in _parts(column, int(count.sum())):
        for frame, photons in zip(*np.unique(part, return_counts=True), strict=True):
            found[int(frame)] = found.get(int(frame), 0) + int(photons)
    return found == {int(n): int(c) for n, c in zip(number, count, strict=True) if c}


def _settings(text: str) -> Settings:
    known = {field.name for field in fields(Settings)}
    return Settings(**{name: value for name, value in json.loads(text).items() if name in known})


def _text(dataset: Any) -> str:
    value = dataset[()]
    return value.decode() if isinstance(value, bytes) else str(value)
