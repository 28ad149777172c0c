"""The NeXus file of a scan's photons, which opens whenever the process that writes it is killed.

All its groups, datasets and attributes exist from the moment that it can be seen; then columns grow
and a few values change (`AppendFile`), and nothing else.
"""

import io
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.files.atomic import FileError, Write, write_numbered
from pipeline.files.hdf5_append import OLDEST_FORMAT, AppendFile
from pipeline.files.nexus import (
    add_column,
    add_data,
    add_entry,
    add_group,
    add_process,
    now_text,
)
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import PARAMETERS, Settings
from pipeline.photons import list_resume
from pipeline.photons.list_path import PhotonFileError, PhotonFileGone, photon_path
from pipeline.photons.list_resume import NO_FILE, NOT_SEEN, Existing, histogram_edges
from pipeline.protocols.batch import FrameStatus, PhotonList

logger = logging.getLogger(__name__)

_PHOTONS = {
    "frame": (np.uint32, "", "frame number in the camera's series"),
    "y": (np.float32, "pixel", "y of the centre of gravity, pixel centres are whole"),
    "x": (np.float32, "pixel", "x of the centre of gravity, pixel centres are whole"),
    "energy": (np.float32, "ADU", "sum of the 3x3 pixels above background"),
    "flags": (
        np.uint8,
        "",
        "1: overlaps another photon, 2: above pileup_threshold, 4: at border",
    ),
}
FIT = {
    "snr": (np.float32, "", "signal-to-noise ratio at the fitted place"),
    "y_error": (np.float32, "pixel", "standard error of y"),
    "x_error": (np.float32, "pixel", "standard error of x"),
    "energy_error": (np.float32, "ADU", "standard error of the energy"),
    "chi_square": (np.float32, "", "of the fit, per degree of freedom"),
}
"""Columns that a list of the matched filter has beside those of any list."""
_FITTED = {
    "y": (np.float32, "pixel", "y of the fitted cloud, pixel centres are whole"),
    "x": (np.float32, "pixel", "x of the fitted cloud, pixel centres are whole"),
    "energy": (np.float32, "ADU", "energy of the fitted cloud"),
    **FIT,
}
_FRAMES = {
    "photons": (np.uint32, "", "photons of the frame in this file"),
    "status": (
        np.uint8,
        "",
        ", ".join(
            f"{status.value}: {status.name.lower().replace('_', ' ')}" for status in FrameStatus
        ),
    ),
    "frame": (np.uint32, "", "frame number in the camera's series"),
}
SETTINGS_BYTES = 8192
"""Room for the settings that decide which photons are found, as JSON."""
_CHANGES = {
    "settings": (
        np.dtype(f"S{SETTINGS_BYTES}"),
        "",
        "settings that decide which photons are found, JSON",
    ),
    "frame": (np.uint32, "", "first frame of which they hold, until the next row's"),
}


@dataclass(frozen=True)
class FrameRow:
    """What came of one frame."""

    frame: int
    status: FrameStatus
    photons: PhotonList | None = None
    """None: the file has none of this frame."""
    settings: str = ""
    """With which it was searched, as JSON; empty: it was not."""


def empty_file(
    folder: Path, raw: str, detector: str, settings: Settings, chunk: int = 16_384
) -> Write:
    """Return what makes a photon file without photons, which `PhotonFile` can continue.

    Args:
        folder: in which the file is to stand: the link to the raw file begins there.
        raw: absolute path of the raw file.
        detector: stream name of the camera.
        settings: in force at the start.
        chunk: rows that are allocated together.
    """

    def make(path: Path) -> None:
        relative = os.path.relpath(raw, folder)
        # Made in memory: HDF5 may end the process when a disk refuses what it writes.
        content = io.BytesIO()
        with h5py.File(content, "w", libver=OLDEST_FORMAT) as file:
            _fill(file, raw, relative, detector, settings, chunk)
        with path.open("xb") as made:
            made.write(content.getbuffer())

    return make


@contextmanager
def _told(path: Path, doing: str) -> Iterator[None]:
    """Turn what the disk and HDF5 raise into the one error that the owner knows."""
    try:
        yield
    except PhotonFileError:
        raise
    except FileNotFoundError as error:
        raise PhotonFileGone(
            f"photon file {path} was deleted or moved while it was written. Photons are counted "
            "but not written: find out who did it, then start a new scan."
        ) from error
    except Exception as error:
        refusal = error.__cause__ if isinstance(error, FileError) and error.__cause__ else error
        text = getattr(refusal, "strerror", None) or str(refusal)
        raise PhotonFileError(
            f"photon file {path} could not be {doing}: {text}. Photons are counted but not "
            "written: check folder, permissions and space, then start a new scan."
        ) from error


class PhotonFile:
    """A file that takes photons; for one thread.

    Args:
        raw: absolute path of the raw file, as the camera's header gives it.
        detector: stream name of the camera.
        settings: in force at the start; those of each frame come with it.
        existing: of the process before; it is continued where that can be done.
        chunk: rows that are allocated together.

    Raises:
        PhotonFileError: by each method, when the raw file's path cannot be used or the disk
            refuses. After it the file takes nothing more.
    """

    def __init__(
        self,
        raw: str,
        detector: str,
        settings: Settings,
        existing: Existing = NO_FILE,
        chunk: int = 16_384,
    ) -> None:
        wanted = photon_path(raw)
        self.found = FrameRanges()
        """Frames whose photons were in the file when it was continued."""
        self._present = FrameRanges()
        """Frames that had a row then."""
        found = list_resume.find(existing, wanted, raw)
        if found is not None and self._resume(found):
            return
        self._table = photon_table(settings)
        self._edges = histogram_edges(settings)
        self._counts = np.zeros(max(len(self._edges) - 1, 0), np.int64)
        self._settings = ""
        self._row_of: dict[int, int] = {}
        """Where the frames that were not seen have their rows, should they come after all."""

        with _told(wanted, "created"):
            wanted.parent.mkdir(parents=True, exist_ok=True)
            make = empty_file(wanted.parent, raw, detector, settings, chunk)
            self.path = write_numbered(wanted, make)
        self._open: AppendFile | None = None

    def _resume(self, path: Path) -> bool:
        """Continue a file; return whether that can be done."""
        with _told(path, "continued"):
            resumed = list_resume.resume(path)
        if resumed is None:
            logger.warning("photon file %s cannot be continued: another one is begun", path)
            return False
        self.path, self._open = path, resumed.file
        self._table = photon_table(resumed.settings)
        self._edges, self._counts = resumed.edges, resumed.counts
        self._settings, self._present = resumed.newest_settings, resumed.present
        self.found, self._row_of = resumed.searched, dict(resumed.not_seen)
        return True

    def _is_new(self, frame: FrameRow) -> bool:
        """Say whether a continued file does not have a frame yet, or only that it was not seen."""
        if frame.frame not in self._present:
            return True
        return frame.frame in self._row_of and frame.status not in NOT_SEEN

    def write(self, frames: Sequence[FrameRow]) -> None:
        """Append frames and their photons; they are on disk, as written, afterwards."""
        frames = [frame for frame in frames if self._is_new(frame)]
        seen = {frame.frame for frame in frames if frame.status not in NOT_SEEN}
        frames = [f for f in frames if f.status not in NOT_SEEN or f.frame not in seen]
        late = [frame for frame in frames if frame.frame in self._row_of]
        new = [frame for frame in frames if frame.frame not in self._row_of]
        photons = _photon_columns(frames, self._table)
        values: dict[str, NDArray[Any]] = {}
        if len(self._counts):
            self._counts += np.histogram(photons["energy"], self._edges)[0]
            values["entry/energy_histogram/counts"] = self._counts
        rows = {
            f"entry/{group}/{name}": column
            for group, columns in (
                ("process/changes", self._changes(frames)),
                ("photons", photons),
                ("frames", _frame_columns(new)),
            )
            for name, column in columns.items()
        }
        with self._file() as file:
            first = file.length("entry/frames/frame")
            file.append(rows, values)
            for i, frame in enumerate(new):
                if frame.status in NOT_SEEN:
                    self._row_of[frame.frame] = first + i
            for frame in late:
                row = self._row_of.pop(frame.frame)
                for name, column in _frame_columns([frame]).items():
                    file.replace(f"entry/frames/{name}", row, column)

    def check(self) -> None:
        """Look whether the file still stands."""
        with self._file() as file:
            file.check()

    def close(self, complete: bool) -> None:
        """Say that the scan has ended, and whether it is complete; more may be written later."""
        values = {"complete": np.array(int(complete)), "end_time": np.array(now_text().encode())}
        with self._file() as file:
            file.append({}, {f"entry/{name}": value for name, value in values.items()})
            self._open = None
            file.close()

    def abandon(self) -> None:
        """Let go of the file as it stands on disk."""
        file, self._open = self._open, None
        if file is not None:
            file.abandon()

    @contextmanager
    def _file(self) -> Iterator[AppendFile]:
        with _told(self.path, "written"):
            file = self._open or AppendFile(self.path)
            self._open = file
            try:
                yield file
            except BaseException:
                self.abandon()
                raise

    def _changes(self, frames: Sequence[FrameRow]) -> dict[str, NDArray[Any]]:
        """Return rows for the frames that were searched with other settings than those before."""
        changed: list[tuple[bytes, int]] = []
        for frame in frames:
            if frame.settings and frame.settings != self._settings:
                self._settings = frame.settings
                changed.append((frame.settings.encode(), frame.frame))
        return _columns(_CHANGES, changed)


def photon_table(settings: Settings) -> Mapping[str, tuple[Any, str, str]]:
    """Return the columns of a list that is made with these settings: type, unit and meaning."""
    return _PHOTONS if settings.matched is None else {**_PHOTONS, **_FITTED}


def _columns(table: dict[str, Any], rows: Sequence[tuple[Any, ...]]) -> dict[str, NDArray[Any]]:
    """Return the columns of a table from its rows."""
    return {
        name: np.array([row[i] for row in rows], dtype)
        for i, (name, (dtype, _, _)) in enumerate(table.items())
    }


def _frame_columns(frames: Sequence[FrameRow]) -> dict[str, NDArray[Any]]:
    return _columns(_FRAMES, [(len(f.photons or ()), f.status.value, f.frame) for f in frames])


def _photon_columns(
    frames: Sequence[FrameRow], table: Mapping[str, tuple[Any, str, str]]
) -> dict[str, NDArray[Any]]:
    lists = [(frame.frame, frame.photons) for frame in frames if frame.photons is not None]
    columns: dict[str, NDArray[Any]] = {
        name: np.concatenate(
            [np.empty(0, dtype), *(_column(photons, name) for _, photons in lists)], dtype=dtype
        )
        for name, (dtype, _, _) in table.items()
        if name != "frame"
    }
    numbers = np.array([number for number, _ in lists], np.uint32)
    columns["frame"] = np.repeat(numbers, [len(photons) for _, photons in lists])
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of unequal length: {lengths}")
    return columns


def _column(photons: PhotonList, name: str) -> NDArray[Any]:
    if name not in FIT:
        return getattr(photons, name)
    # The method was changed in mid-scan.
    return np.full(len(photons), np.nan) if photons.fit is None else getattr(photons.fit, name)


def _as_json(settings: Settings) -> str:
    return json.dumps(settings.values(), ensure_ascii=False)


def _fill(
    file: h5py.File, raw: str, relative: str, detector: str, settings: Settings, chunk: int
) -> None:
    """Make all that the file will ever have."""
    edges = histogram_edges(settings)
    entry = add_entry(file, default="energy_histogram" if len(edges) else "photons")
    add_data(entry, "title", f"Single photons of {Path(raw).name}")
    add_data(entry, "detector", detector)
    add_data(entry, "start_time", now_text())
    add_data(entry, "end_time", np.array(b"", "S32"))
    add_data(entry, "complete", 0)
    add_data(entry, "raw_file", raw)
    entry["raw"] = h5py.ExternalLink(relative, "/")
    region = settings.photon_region
    if region is not None:
        roi = np.array([region.x, region.y, region.width, region.height], np.int64)
        add_data(entry, "photon_roi", roi, "pixel", order="x, y, width, height")
    process = add_process(entry, now_text())
    units = {f"{name}_units": PARAMETERS[name].unit for name in PARAMETERS if PARAMETERS[name].unit}
    add_data(process, "parameters", _as_json(settings), **settings.values(), **units)
    _add_table(add_group(process, "changes", "NXcollection"), _CHANGES, chunk)
    photons = add_group(entry, "photons", "NXdata", signal="energy", axes=["x", "y"])
    _add_table(photons, photon_table(settings), chunk)
    _add_table(add_group(entry, "frames", "NXcollection"), _FRAMES, chunk)
    if len(edges):
        data = add_group(entry, "energy_histogram", "NXdata", signal="counts", axes=["energy"])
        label = "3x3 sum [ADU]" if settings.matched is None else "fitted energy [ADU]"
        add_data(data, "energy", (edges[:-1] + edges[1:]) / 2, "ADU", long_name=label)
        add_data(data, "counts", np.zeros(len(edges) - 1, np.int64), long_name="photons")


def _add_table(group: h5py.Group, table: Mapping[str, tuple[Any, str, str]], chunk: int) -> None:
    for name, (dtype, unit, meaning) in table.items():
        rows = max(1, chunk * 4 // np.dtype(dtype).itemsize)
        add_column(group, name, dtype, rows, unit, long_name=meaning)
