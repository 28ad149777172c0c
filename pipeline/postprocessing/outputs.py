"""The files of a run: one number for all of them, and nothing is ever overwritten."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files.atomic import MAX_NUMBER, FileError, write_new
from pipeline.model.parameters import Settings
from pipeline.photons import list_resume
from pipeline.photons.list_layout import empty_file
from pipeline.photons.list_path import SUFFIX, PhotonFileError, photon_path
from pipeline.postprocessing.errors import BadOutput

_RESULTS, _REPORT = "_processed", "_report"


@dataclass(frozen=True)
class Outputs:
    """Where the results of a series go."""

    photons: str
    """The photon list; empty: no photons are searched."""
    results: str
    report: str

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Outputs":
        """Return what `vars` gave."""
        return cls(**{name: str(values[name]) for name in ("photons", "results", "report")})


def output_folder(source: str, wanted: Path | None) -> Path:
    """Return the folder for the results; it is made where there is none.

    Args:
        source: absolute path of the raw file.
        wanted: by the user; None: where live puts the photons of this raw file.

    Raises:
        BadOutput: it cannot be made.
    """
    try:
        folder = photon_path(source).parent if wanted is None else wanted.absolute()
        folder.mkdir(parents=True, exist_ok=True)
    except PhotonFileError as error:
        raise BadOutput(f"{error} Say where the results go with --output.") from error
    except OSError as error:
        raise BadOutput(
            f"Folder {error.filename} cannot be made ({error.strerror}): say where the results go "
            "with --output."
        ) from error
    return folder


def new_outputs(folder: Path, name: str, raw: str, stream: str, settings: Settings) -> Outputs:
    """Choose names that are free, and make the photon file.

    Args:
        folder: for all of them.
        name: of the results, without what tells their kind.
        raw: absolute path of the raw file.
        stream: of the camera.
        settings: of all frames.

    Raises:
        BadOutput: the photon file cannot be made, or no name is free.
    """
    searched = stream in settings.photon_streams and settings.photon_region is not None
    for number in range(MAX_NUMBER + 1):
        text = f"_{number}" if number else ""
        photons = folder / f"{name}{SUFFIX}{text}.h5"
        results = folder / f"{name}{_RESULTS}{text}.h5"
        report = folder / f"{name}{_REPORT}{text}.png"
        if any(os.path.lexists(path) for path in (photons, results, report)):
            continue
        if searched and not _make(photons, raw, stream, settings):
            continue
        return Outputs(str(photons) if searched else "", str(results), str(report))
    raise BadOutput(f"{folder} has {MAX_NUMBER} results of {name} already: move old ones away.")


def check_photons(outputs: Outputs, raw: str, stream: str, settings: Settings) -> bool:
    """Look whether the photon file of an interrupted run can go on; return False where it cannot.

    One that was deleted is begun anew.

    Raises:
        BadOutput: it cannot be read or written.
    """
    if not outputs.photons:
        return True
    path = Path(outputs.photons)
    if not path.exists():
        return _make(path, raw, stream, settings)
    try:
        found = list_resume.resume(path)
    except OSError as error:
        raise BadOutput(
            f"photon file {path} cannot be continued ({error.strerror or error}): fix that, then "
            "go on with --resume."
        ) from error
    except (KeyError, ValueError):
        return False
    if found is not None:
        found.file.abandon()
    return found is not None


def _make(path: Path, raw: str, stream: str, settings: Settings) -> bool:
    """Make an empty photon file; return False where something stands in its place."""
    try:
        write_new(path, empty_file(path.parent, raw, stream, settings))
    except FileError as error:
        if os.path.lexists(path):
            return False
        raise BadOutput(f"{error} Make room, or give another --output.") from error
    return True
