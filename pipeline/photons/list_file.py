"""The NeXus file of a scan's photons, which opens whenever the process that writes it is killed.

A reader of a killed SWMR file needs a repair first, so the file is a plain one whose changes are
brought to disk together (`CommitFile`).
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.files.atomic import FileError, write_numbered
from pipeline.files.hdf5_commit import CommitFile
from pipeline.model.parameters import PARAMETERS, Settings
from pipeline.photons.list_path import PhotonFileError, photon_path

_CHUNK = 16_384
_COLUMNS = {
    "frame": (np.uint32, "", "frame number in the camera's series"),
    "y": (np.float32, "pixel", "y of the centre of gravity, pixel centres are whole"),
    "x": (np.float32, "pixel", "x of the centre of gravity, pixel centres are whole"),
    "energy": (np.float32, "ADU", "sum of the 3x3 pixels above background"),
}
_PACKAGES = ("femtotango", "dranspose", "numpy", "numba", "h5py")
_MAX_CHANGES = 1000
"""Changes of parameters that one file notes."""


@dataclass(frozen=True)
class Rows:
    """Photons of some frames; four arrays of equal length."""

    frame: NDArray[np.uint32]
    y: NDArray[np.float32]
    x: NDArray[np.float32]
    energy: NDArray[np.float32]


def versions() -> dict[str, str]:
    """Return the versions of the programs that make the file, as far as they are installed."""
    found: dict[str, str] = {}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


@contextmanager
def _told(path: Path | str, doing: str) -> Iterator[None]:
    """Turn what the disk and HDF5 raise into the one error that the owner knows."""
    try:
        yield
    except Exception as error:
        refusal = error.__cause__ if isinstance(error, FileError) and error.__cause__ else error
        cause = re.search(r"error message = '([^']*)'", str(refusal))
        text = cause[1] if cause else getattr(refusal, "strerror", None) or str(refusal)
        raise PhotonFileError(
            f"photon file {path} could not be {doing}: {text}. Photons are counted but not "
            "written: check folder, permissions and space, then start a new scan."
        ) from error


class PhotonFile:
    """A file that takes photons.

    Args:
        raw: absolute path of the raw file, as the camera's header gives it.
        detector: stream name of the camera.
        settings: in force at the start; later ones are noted by `note_settings`.

    Raises:
        PhotonFileError: by each method, when the raw file's path cannot be used or the disk
            refuses. After it the file takes nothing more.
    """

    def __init__(self, raw: str, detector: str, settings: Settings) -> None:
        wanted = photon_path(raw)
        self._disk: CommitFile | None = None
        self._file: h5py.File | None = None
        self._changes = 0

        def make(path: Path) -> None:
            self._disk = CommitFile(path, new=True)
            self._file = h5py.File(self._disk, "w")
            relative = os.path.relpath(raw, wanted.parent)
            _fill(self._file, raw, relative, detector, settings)
            self._file.flush()
            self._disk.commit()

        with _told(wanted, "created"):
            try:
                wanted.parent.mkdir(parents=True, exist_ok=True)
                self.path = write_numbered(wanted, make)
            except BaseException:
                self.abandon()
                raise

    def write(self, rows: Rows, seen: int, skipped: int) -> None:
        """Append photons and bring them to disk.

        Args:
            rows: new photons.
            seen: frames seen so far.
            skipped: frames among them that the density guard refused.
        """
        with self._change() as entry:
            photons = _group(entry, "photons")
            for name, (dtype, _, _) in _COLUMNS.items():
                column = _dataset(photons, name)
                values = np.asarray(getattr(rows, name), dtype)
                if len(values):
                    column.resize(len(column) + len(values), axis=0)
                    column[-len(values) :] = values
            _dataset(entry, "frames_seen")[()] = seen
            _dataset(entry, "frames_skipped")[()] = skipped

    def note_settings(self, settings: Settings, seen: int) -> None:
        """Note that parameters have changed.

        Args:
            settings: in force from now on.
            seen: frames seen before the change.
        """
        if self._changes >= _MAX_CHANGES:
            return
        self._changes += 1
        with self._change() as entry:
            changes = entry.require_group("process/changes")
            changes.attrs["NX_class"] = "NXcollection"
            change = changes.create_dataset(f"{len(changes):04d}", data=_as_json(settings))
            change.attrs["frames_seen"] = seen
            change.attrs["date"] = _now()
            _write_roi(entry, settings)

    def close(self, complete: bool, energy: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
        """Add the energy histogram as the default plot and close.

        Args:
            complete: the scan has come to its end.
            energy: bin centres ``(n,)`` [ADU].
            counts: photons in them ``(n,)``.
        """
        with self._change() as entry:
            if len(counts):
                _write_histogram(entry, energy, counts)
                entry.attrs["default"] = "energy_histogram"
            _dataset(entry, "complete")[()] = int(complete)
            _replace(entry, "end_time", _now())
        with _told(self.path, "closed"):
            try:
                if self._file is not None and self._disk is not None:
                    self._file.close()
                    self._disk.commit()
            finally:
                self.abandon()

    def abandon(self) -> None:
        """Let go of the file as it stands on disk."""
        file, disk = self._file, self._disk
        self._file = self._disk = None
        if file is not None:
            file.close()
        if disk is not None:
            disk.close()

    @contextmanager
    def _change(self) -> Iterator[h5py.Group]:
        """Give the entry to change, opened again when late photons come, and commit."""
        with _told(self.path, "written"):
            try:
                if self._file is None or self._disk is None:
                    self._disk = CommitFile(self.path, new=False)
                    self._file = h5py.File(self._disk, "r+")
                yield _group(self._file, "entry")
                self._file.flush()
                self._disk.commit()
            except BaseException:
                self.abandon()
                raise


def _as_json(settings: Settings) -> str:
    return json.dumps(settings.values(), ensure_ascii=False)


def _group(parent: h5py.Group, name: str) -> h5py.Group:
    found = parent[name]
    if not isinstance(found, h5py.Group):
        raise KeyError(f"{name} is no group")
    return found


def _dataset(parent: h5py.Group, name: str) -> h5py.Dataset:
    found = parent[name]
    if not isinstance(found, h5py.Dataset):
        raise KeyError(f"{name} is no dataset")
    return found


def _replace(group: h5py.Group, name: str, value: str | NDArray) -> None:
    if name in group:
        del group[name]
    group[name] = value


def _fill(file: h5py.File, raw: str, relative: str, detector: str, settings: Settings) -> None:
    file.attrs.update({"NX_class": "NXroot", "default": "entry", "creator": "femtotango"})
    entry = file.create_group("entry")
    entry.attrs.update({"NX_class": "NXentry", "default": "photons"})
    entry["title"] = f"Single photons of {Path(raw).name}"
    entry["detector"] = detector
    entry["start_time"] = _now()
    entry["complete"] = 0
    entry["frames_seen"] = 0
    entry["frames_skipped"] = 0
    entry["raw_file"] = raw
    entry["raw"] = h5py.ExternalLink(relative, "/")
    _write_roi(entry, settings)

    photons = entry.create_group("photons")
    photons.attrs.update({"NX_class": "NXdata", "signal": "energy", "axes": ["x", "y"]})
    for name, (dtype, unit, meaning) in _COLUMNS.items():
        fill = np.nan if dtype is np.float32 else np.iinfo(dtype).max
        column = photons.create_dataset(
            name, (0,), dtype, chunks=(_CHUNK,), maxshape=(None,), fillvalue=fill
        )
        column.attrs["long_name"] = meaning
        if unit:
            column.attrs["units"] = unit

    process = entry.create_group("process")
    process.attrs["NX_class"] = "NXprocess"
    process["program"] = "femtotango"
    process["date"] = _now()
    programs = versions()
    process["version"] = programs.get("femtotango", "unknown")
    process["versions"] = json.dumps(programs)
    process["versions"].attrs.update(programs)
    process["parameters"] = _as_json(settings)
    for name, value in settings.values().items():
        process["parameters"].attrs[name] = value
        if PARAMETERS[name].unit:
            process["parameters"].attrs[f"{name}_units"] = PARAMETERS[name].unit


def _write_roi(entry: h5py.Group, settings: Settings) -> None:
    region = settings.photon_region
    if region is None:
        return
    roi = np.array([region.x, region.y, region.width, region.height], np.int64)
    _replace(entry, "photon_roi", roi)
    entry["photon_roi"].attrs.update({"units": "pixel", "order": "x, y, width, height"})


def _write_histogram(
    entry: h5py.Group, energy: NDArray[np.float64], counts: NDArray[np.int64]
) -> None:
    histogram = entry.require_group("energy_histogram")
    histogram.attrs.update({"NX_class": "NXdata", "signal": "counts", "axes": ["energy"]})
    _replace(histogram, "energy", energy)
    histogram["energy"].attrs.update({"units": "ADU", "long_name": "3x3 sum [ADU]"})
    _replace(histogram, "counts", counts)
    histogram["counts"].attrs["long_name"] = "photons"
