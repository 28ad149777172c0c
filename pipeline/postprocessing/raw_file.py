"""The series in a raw HDF5 file: which frames there are, of which camera, with which settings.

The layout is that of the beamline's receiver, `/entry/instrument/<camera>/data` with the frames'
numbers beside it; or of an Eiger, whose master file links to files with parts of the frames.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.model.cameras import CAMERAS
from pipeline.postprocessing.errors import BadRawFile, BadSettings
from pipeline.postprocessing.raw_chunks import stored_frames
from pipeline.postprocessing.raw_datasets import named_frames, usual_frames
from pipeline.postprocessing.raw_frame import RawFrame
from pipeline.postprocessing.raw_open import absolute, open_raw
from pipeline.protocols.raw_file import NUMBERS

_LARGEST_SETTING = 1000
"""Arrays with more values are no settings."""


@dataclass(frozen=True)
class RawSeries:
    """One series of a camera in a raw file."""

    raw: str
    """Absolute path of the file."""
    name: str
    """Of the results, without what tells its kind."""
    stream: str
    """Of the camera."""
    part: int
    """Counts the series of one camera in one file."""
    frames: tuple[RawFrame, ...]
    camera: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the camera, as its header had them."""
    notes: tuple[str, ...] = ()
    """Sentences about what is wrong with the file."""

    @property
    def frame_bytes(self) -> int:
        """Size of a frame without compression."""
        return self.frames[0].layout.frame_bytes

    @property
    def shape(self) -> tuple[int, int]:
        """``(ny, nx)`` of a frame [pixel]."""
        return self.frames[0].layout.shape


def read_series(path: Path, camera: str = "", dataset: str = "") -> list[RawSeries]:
    """Find the series in a raw file.

    Args:
        path: of the file.
        camera: stream name; empty: that of the group in the file.
        dataset: path of the frames in the file; empty: where receivers put them.

    Returns:
        By camera, and where a later series was appended, one after the other.

    Raises:
        BadSettings: the camera is not known, or not told.
        BadRawFile: the file cannot be read, or has no frames.
        StillWritten: another program still writes it.
    """
    if camera and camera not in CAMERAS:
        raise BadSettings(f"camera {camera!r} is not known: use {', '.join(CAMERAS)}.")
    path = absolute(path)
    found: list[RawSeries] = []
    with open_raw(path) as (file, warning):
        groups = named_frames(file, dataset) if dataset else usual_frames(file)
        wanted = {name: group for name, group in groups.items() if name == camera} or groups
        if camera and camera not in wanted and len(wanted) > 1:
            raise BadSettings(
                f"{path} has frames of {', '.join(wanted)}, and none of {camera}: say which with "
                "--dataset."
            )
        for name, (place, datasets) in wanted.items():
            stream = camera or name
            if stream not in CAMERAS:
                raise BadSettings(
                    f"{path}: which camera took {datasets[0].name} is not known: say so with "
                    f"--camera, one of {', '.join(CAMERAS)}."
                )
            label = f"{path.stem}_{name}" if len(wanted) > 1 else path.stem
            one = _Camera(path, file, place, datasets)
            notes = (*([warning] if warning else []), *one.notes)
            series = RawSeries(str(path), label, stream, 0, one.frames, one.settings, notes)
            found += _split(series)
    return found


def _split(series: RawSeries) -> Iterator[RawSeries]:
    """Give each series of a file that later ones were appended to.

    A number that comes again begins a series; one that only is late does not.
    """
    begins, seen = [0], set[int]()
    for place, frame in enumerate(series.frames):
        if frame.number in seen:
            begins.append(place)
            seen.clear()
        seen.add(frame.number)
    for part, (first, end) in enumerate(itertools.pairwise([*begins, len(series.frames)])):
        yield replace(series, part=part, frames=series.frames[first:end])


class _Camera:
    """What the file has of one camera."""

    def __init__(
        self, path: Path, file: h5py.File, place: str, datasets: Sequence[h5py.Dataset]
    ) -> None:
        self._path = path
        self.notes: list[str] = []
        stored = [
            frame
            for dataset in datasets
            for frame in stored_frames(dataset, str(path) if dataset.file == file else "")
        ]
        if not stored:
            raise BadRawFile(f"{path}: {datasets[0].name} has no frames.")
        numbers = self._numbers(file, place, len(stored))
        self.frames = tuple(
            replace(frame, number=number)
            for frame, number in zip(stored, numbers.tolist(), strict=True)
        )
        group = file.get(place)
        frames = {str(dataset.name) for dataset in datasets}
        self.settings = _settings(group, frames) if isinstance(group, h5py.Group) else {}

    def _numbers(self, file: h5py.File, place: str, count: int) -> NDArray[np.int64]:
        there: Any = file.get(f"{place}/{NUMBERS}")
        if not isinstance(there, h5py.Dataset):
            return np.arange(count)
        numbers = there[:count].astype(np.int64)
        if len(there) == count:
            return numbers
        self.notes.append(
            f"{self._path}: {place} has {count} frames and {len(there)} numbers of frames; "
            + ("frames without one are counted on." if len(there) < count else "the rest is lost.")
        )
        first = int(numbers[-1]) + 1 if len(numbers) else 0
        return np.concatenate([numbers, first + np.arange(count - len(numbers))])


def _settings(group: h5py.Group, frames: set[str]) -> dict[str, Any]:
    """Return the camera's settings, as the second part of its header had them."""
    found: dict[str, Any] = {}
    for name in map(str, group):
        item: Any = group.get(name)
        if isinstance(item, h5py.Group):
            found[name] = _settings(item, frames)
        elif name != NUMBERS and item is not None and item.name not in frames and _is_small(item):
            found[name] = _plain(item[()])
    return found


def _is_small(item: Any) -> bool:
    return isinstance(item, h5py.Dataset) and (item.size or 0) <= _LARGEST_SETTING


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()]
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, int | float | str | None) else str(plain)
