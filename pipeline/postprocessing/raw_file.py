"""The series in a raw HDF5 file: which frames there are, and where in the file their bytes stand.

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
from pipeline.postprocessing.raw_frame import Layout, Piece, RawFrame
from pipeline.postprocessing.raw_open import absolute, open_raw
from pipeline.protocols.raw_file import NUMBERS

_INSTRUMENT, _EIGER = "/entry/instrument", "/entry/data"
_BITSHUFFLE, _LZ4 = 32008, 2
_FILTERS = {
    1: "gzip",
    32000: "lzf",
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32015: "zstd",
    32026: "blosc2",
}
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
        groups = _named(file, dataset) if dataset else _usual(file)
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


_Groups = dict[str, tuple[str, list[h5py.Dataset]]]
"""By camera: path of its group, and the datasets with its frames."""


def _named(file: h5py.File, path: str) -> _Groups:
    """Return the frames that the user has named."""
    found = _get(file, path)
    place = path.rstrip("/").rpartition("/")[0] or "/"
    name = place.rpartition("/")[2]
    if isinstance(found, h5py.Group):
        place, name = path, path.rstrip("/").rpartition("/")[2]
        datasets = _frames_in(file, path)
    else:
        datasets = [found]
    stacks = [dataset for dataset in datasets if _is_stack(dataset)]
    if not stacks:
        raise BadRawFile(f"{file.filename}: {path} holds no frames of shape (frame, y, x).")
    return {name: (place, stacks)}


def _usual(file: h5py.File) -> _Groups:
    """Return the frames where receivers put them."""
    groups: _Groups = {}
    for name in _names(file, _INSTRUMENT):
        place = f"{_INSTRUMENT}/{name}"
        if "data" in _names(file, place):
            data = _get(file, f"{place}/data")
            if _is_stack(data):
                groups[name] = place, [data]
    if not groups:
        datasets = [dataset for dataset in _frames_in(file, _EIGER) if _is_stack(dataset)]
        if datasets:
            groups["data"] = _EIGER, datasets
    if not groups:
        raise BadRawFile(
            f"{file.filename}: there are no frames at {_INSTRUMENT}/<camera>/data or "
            f"{_EIGER}/data_…: say where they are with --dataset."
        )
    return groups


def _frames_in(file: h5py.File, place: str) -> list[h5py.Dataset]:
    names = _names(file, place)
    chosen = ["data"] if "data" in names else sorted(n for n in names if n.startswith("data_"))
    found = [_get(file, f"{place}/{name}") for name in chosen]
    return [dataset for dataset in found if isinstance(dataset, h5py.Dataset)]


def _names(file: h5py.File, place: str) -> list[str]:
    group = file.get(place)
    return list(group) if isinstance(group, h5py.Group) else []


def _get(file: h5py.File, path: str) -> Any:
    link = None
    try:
        link = file.get(path, getlink=True)
        return file[path]
    except (KeyError, OSError) as error:
        if isinstance(link, h5py.ExternalLink):
            raise BadRawFile(
                f"{file.filename}: {path} is in {link.filename}, which cannot be read ({error}): "
                "copy that file to its place, beside the master file."
            ) from error
        raise BadRawFile(f"{file.filename} has no {path}.") from error


def _is_stack(item: Any) -> bool:
    return isinstance(item, h5py.Dataset) and item.ndim == 3 and item.dtype.kind in "iuf"


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
            for frame in _stored(dataset, str(path) if dataset.file == file else "")
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


def _stored(dataset: h5py.Dataset, path: str) -> Iterator[RawFrame]:
    """Give the frames of a dataset, with the places of their bytes."""
    count = dataset.shape[0]
    layout = _layout(dataset, path or str(absolute(_file_name(dataset))))
    pieces: dict[int, list[Piece]] = {}
    if not layout.by_hdf5:
        if dataset.chunks is None:
            offset = dataset.id.get_offset()
            size = layout.frame_bytes
            if offset is not None:
                pieces = {i: [Piece(0, 0, offset + i * size, size, False)] for i in range(count)}
        else:

            def note(info: Any) -> None:
                frame, y, x = info.chunk_offset
                packed = layout.packed and not info.filter_mask & 1
                piece = Piece(y, x, info.byte_offset, info.size, packed)
                pieces.setdefault(frame, []).append(piece)

            dataset.id.chunk_iter(note)
    for index in range(count):
        yield RawFrame(layout, index, index, tuple(pieces.get(index, ())))


def _layout(dataset: h5py.Dataset, path: str) -> Layout:
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(i) for i in range(plan.get_nfilters())]
    for code, _, _, name in filters:
        if not h5py.h5z.filter_avail(code):
            named = name.decode(errors="replace") or _FILTERS.get(code, "")
            raise BadRawFile(
                f"{path}: the frames are compressed with filter {code} ({named}), which is not "
                "installed here: install its HDF5 plug-in and set HDF5_PLUGIN_PATH."
            )
    if dataset.is_virtual:
        _check_sources(dataset, path)
    shape = dataset.shape[1], dataset.shape[2]
    codes = [code for code, *_ in filters]
    values = filters[0][2] if filters else ()
    packed = codes == [_BITSHUFFLE] and len(values) > 4 and values[3:5] == (0, _LZ4)
    single = dataset.chunks is not None and dataset.chunks[0] == 1
    whole = plan.get_layout() == h5py.h5d.CONTIGUOUS and not plan.get_external_count()
    moved = dataset.file.userblock_size > 0
    simple = (single and (packed or not codes)) or whole
    chunk = dataset.chunks[1:] if dataset.chunks is not None else shape
    return Layout(
        path=path,
        dataset=str(dataset.name),
        shape=shape,
        dtype=dataset.dtype.str,
        chunk=(chunk[0], chunk[1]),
        packed=packed,
        by_hdf5=moved or not simple,
    )


def _check_sources(dataset: h5py.Dataset, path: str) -> None:
    """Refuse a virtual dataset of which a file is missing: HDF5 would read zeros in its place."""
    for source in dataset.virtual_sources():
        name = Path(path).parent / source.file_name
        if source.file_name != "." and "%" not in source.file_name and not name.exists():
            raise BadRawFile(
                f"{path}: {dataset.name} has frames in {name}, which is not there: copy that file "
                "to its place."
            )


def _file_name(dataset: h5py.Dataset) -> str:
    name = dataset.file.filename
    return name.decode() if isinstance(name, bytes) else str(name)


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
