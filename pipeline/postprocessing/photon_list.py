"""A photon file as it stands, also one whose writer was killed: what it says of each frame."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import PARAMETERS, Settings
from pipeline.photons.list_columns import FIT
from pipeline.photons.list_resume import histogram_edges
from pipeline.postprocessing.errors import BadRawFile, BadSettings
from pipeline.postprocessing.eta_list import AXES, ROWS, corrected, learned_axis, plain_name
from pipeline.postprocessing.settings_source import plain, settings_from
from pipeline.protocols.batch import FrameStatus, PhotonFit, PhotonList

COLUMNS = ("y", "x", "energy", "flags")
"""Of every list, beside the frame."""


@dataclass(frozen=True)
class FrameEntry:
    """What the file says of one frame."""

    status: FrameStatus
    photons: int
    first: int
    """Of its photons, in the columns."""
    length: int
    """Photons that stand there together."""


class PhotonListFile:
    """An open photon file; for one thread.

    Args:
        path: of the file.

    Raises:
        BadRawFile: it is no photon file, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        """What does not fit together in the file itself."""
        try:
            self._file = h5py.File(path, locking=False)
        except FileNotFoundError as error:
            raise BadRawFile(f"{path}: there is no such file.") from error
        except OSError as error:
            raise BadRawFile(f"{path} cannot be read: {error}.") from error
        try:
            self._entry: Any = self._file["entry"]
            there = self._entry["photons"]
            self._fit = any(name in there for name in FIT)
            names = (*COLUMNS, *(FIT if self._fit else ()), "frame")
            self._photons = {name: self._entry[f"photons/{name}"] for name in names}
            self._corrected = {
                axis: self._photons[axis] for axis in AXES if plain_name(axis) in there
            }
            for axis in self._corrected:
                self._photons[axis] = self._entry[f"photons/{plain_name(axis)}"]
            self._read()
        except (KeyError, ValueError, BadSettings) as error:
            self._file.close()
            raise BadRawFile(f"{path} is no photon file that can be read: {error}.") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self) -> None:
        entry = self._entry
        self.complete = bool(entry["complete"][()])
        self.stream = _text(entry["detector"])
        self.raw = self._raw_path()
        self.photons = min(map(len, self._photons.values()))
        self.settings = settings_from(_known(_text(entry["process/parameters"])), str(self.path))
        self.changes = self._changes()
        self.frames = self._frames()

    def _raw_path(self) -> Path:
        link = self._entry.get("raw", getlink=True)
        if isinstance(link, h5py.ExternalLink):
            beside = self.path.absolute().parent / link.filename
            if beside.exists():
                return beside
        return Path(_text(self._entry["raw_file"]))

    def _changes(self) -> list[tuple[int, Settings]]:
        """Return from which frame on which settings held."""
        table = self._entry["process/changes"]
        rows = min(len(table["settings"]), len(table["frame"]))
        found = []
        for text, frame in zip(table["settings"][:rows], table["frame"][:rows], strict=True):
            values = {**self.settings.values(), **_known(text.decode())}
            found.append((int(frame), settings_from(values, str(self.path))))
        return found

    def settings_at(self, frame: int) -> Settings:
        """Return the settings that held for a frame."""
        found = self.settings
        for first, settings in self.changes:
            if first <= frame:
                found = settings
        return found

    def _frames(self) -> dict[int, FrameEntry]:
        table = self._entry["frames"]
        columns = [table[name] for name in ("frame", "status", "photons")]
        rows = min(map(len, columns))
        numbers, statuses, counts = (column[:rows].tolist() for column in columns)
        places: dict[int, list[tuple[int, int]]] = {}
        for number, first, length in self._runs():
            places.setdefault(number, []).append((first, length))
        found: dict[int, FrameEntry] = {}
        for number, status, count in zip(numbers, statuses, counts, strict=True):
            runs = places.pop(number, [(0, 0)])
            if number in found:
                self.problems.append(f"frame {number} has two rows")
            if len(runs) > 1:
                self.problems.append(f"photons of frame {number} stand in {len(runs)} places")
            first, length = runs[0]
            found[number] = FrameEntry(FrameStatus(status), count, first, length)
        if places and self.complete:
            names = ", ".join(map(str, sorted(places)[:10]))
            self.problems.append(f"there are photons of frames without a row: {names}")
        return found

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        """Give frame number, place and length of photons of one frame that stand together."""
        column = self._photons["frame"]
        begun: tuple[int, int] | None = None
        for first in range(0, self.photons, ROWS):
            part = column[first : min(self.photons, first + ROWS)]
            edges = [0, *(np.flatnonzero(np.diff(part.astype(np.int64))) + 1).tolist()]
            for edge in edges:
                number, place = int(part[edge]), first + edge
                if begun is not None and begun[0] != number:
                    yield begun[0], begun[1], place - begun[1]
                if begun is None or begun[0] != number:
                    begun = number, place
        if begun is not None:
            yield begun[0], begun[1], self.photons - begun[1]

    def photons_of(self, entry: FrameEntry) -> PhotonList:
        """Return the photons of a frame as they were found."""
        rows = slice(entry.first, entry.first + entry.length)
        fit = {name: self._photons[name][rows] for name in FIT} if self._fit else None
        columns = {name: self._photons[name][rows] for name in COLUMNS}
        return PhotonList(**columns, fit=None if fit is None else PhotonFit(**fit))

    def check_corrected(self) -> None:
        """Note where corrected positions are not what the list itself gives."""
        for axis, column in self._corrected.items():
            try:
                learned = learned_axis(self._entry["photons"], axis)
            except ValueError as error:
                self.problems.append(f"{axis} is corrected, but {error}")
                continue
            for first in range(0, self.photons, ROWS):
                rows = slice(first, min(self.photons, first + ROWS))
                if not np.array_equal(corrected(learned, self._photons[axis][rows]), column[rows]):
                    self.problems.append(f"{axis} is not the eta correction of {plain_name(axis)}")
                    break

    def check_settings(self) -> None:
        """Note where the file contradicts itself about its settings."""
        dataset = self._entry["process/parameters"]
        for name, value in _known(_text(dataset)).items():
            if name in dataset.attrs and plain(dataset.attrs[name]) != value:
                self.problems.append(
                    f"setting {name} is {value} in one place and {plain(dataset.attrs[name])} in "
                    "another"
                )
        if "photon_roi" in self._entry:
            there = self._entry["photon_roi"][()].tolist()
            region = self.settings.photon_region
            wanted = None if region is None else [region.x, region.y, region.width, region.height]
            if there != wanted:
                self.problems.append(f"photon_roi is {there}, the settings say {wanted}")
        searched = (n for n, entry in self.frames.items() if entry.status in _SEARCHED)
        first = min(searched, default=None)
        if first is not None and self.changes and self.changes[0][0] == first:
            before, then = self.settings.values(), self.changes[0][1].values()
            for name in before:
                if before[name] != then[name]:
                    self.problems.append(
                        f"setting {name} is {before[name]} at the start of the file, and frame "
                        f"{first}, its first, was searched with {then[name]}"
                    )

    def check_histogram(self) -> None:
        """Note where the file's histogram is not that of its photons."""
        edges = histogram_edges(self.settings)
        group = self._entry.get("energy_histogram")
        if group is None or not len(edges):
            if (group is None) == bool(len(edges)):
                self.problems.append("the energy histogram does not fit the settings")
            return
        if not np.array_equal(group["energy"][()], (edges[:-1] + edges[1:]) / 2):
            self.problems.append("the energy histogram has other bins than the settings say")
            return
        counts = np.zeros(len(edges) - 1, np.int64)
        for first in range(0, self.photons, ROWS):
            part: NDArray[Any] = self._photons["energy"][first : first + ROWS]
            counts += np.histogram(part, edges)[0]
        # A kill may come between the photons and their histogram.
        if self.complete and not np.array_equal(counts, group["counts"][()]):
            self.problems.append("the energy histogram is not that of the photons")


_SEARCHED = (FrameStatus.SEARCHED, FrameStatus.TOO_DENSE)


def _known(text: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(text).items() if name in PARAMETERS}


def _text(dataset: Any) -> str:
    return str(plain(dataset[()]))
