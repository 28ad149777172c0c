"""Settings for a run: JSON, a file of it, or a file that the pipeline wrote with its settings."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from pipeline.diffraction.geometry import from_poni
from pipeline.diffraction.poni import PoniError
from pipeline.model.cameras import CAMERAS
from pipeline.model.correction_files import (
    CorrectionFile,
    digest_of,
    format_files,
    parse_files,
)
from pipeline.model.old_parameters import with_new_names
from pipeline.model.parameter import ParameterError
from pipeline.model.parameters import ATTRIBUTES, PARAMETERS, PULSE, Settings
from pipeline.photons.corrections import BadCorrection, dark_digest, read_dark, read_mask_of
from pipeline.postprocessing.errors import BadSettings

_NO_SETTINGS = ("dump_prefix", PULSE)
"""What dranspose's parameter files have beside settings."""
_PHOTON_FILE, _IMAGE_FILE = "entry/process/parameters", "entry/settings"


def read_settings(text: str) -> Settings:
    """Read settings; what is not given has its default.

    Args:
        text: a JSON object, or the path of a file: JSON, as an object or as dranspose's list of
            ``{"name", "data"}``; or a photon file or saved sum, whose settings are taken.

    Raises:
        BadSettings: they cannot be read, or a value is not possible.
    """
    if text.lstrip().startswith(("{", "[")):
        return settings_from(_from_json(text, "--settings"), "--settings")
    path = Path(text)
    if not path.is_file():
        raise BadSettings(f"--settings {text}: there is no such file, and it is no JSON object.")
    if h5py.is_hdf5(path):
        return settings_from(_from_hdf5(path), str(path))
    try:
        content = path.read_text(encoding="utf8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} cannot be read as settings ({error}).") from error
    return settings_from(_from_json(content, str(path)), str(path))


def settings_from(values: Mapping[str, Any], where: str) -> Settings:
    """Return settings of values by parameter name or attribute name.

    Args:
        values: numbers, texts, or ROIs as objects.
        where: they come from, for errors.

    Raises:
        BadSettings: a name is not known, or a value is not possible.
    """
    settings = Settings()
    for name, value in values.items():
        parameter = PARAMETERS.get(name) or ATTRIBUTES.get(name)
        if parameter is None:
            close = difflib.get_close_matches(name, [*PARAMETERS, *ATTRIBUTES])
            hint = f"did you mean {' or '.join(close)}?" if close else "see docs/device.md."
            raise BadSettings(f"{where}: there is no setting {name!r}; {hint}")
        try:
            if isinstance(value, bytes):
                settings = settings.replaced(parameter.name, parameter.decode(value))
            else:
                plain = json.dumps(value) if isinstance(value, dict | list) else value
                settings = settings.replaced(parameter.name, plain)
        except ParameterError as error:
            raise BadSettings(f"{where}: {error}") from error
    # Whatever was being taken then, no file is to be made of these frames.
    return settings.replaced("dark_request", "")


def with_poni(settings: Settings, path: Path, stream: str, shape: tuple[int, int]) -> Settings:
    """Return settings with the geometry of a PONI file.

    Args:
        settings: all others.
        path: of the file.
        stream: of the camera.
        shape: ``(ny, nx)`` of its frames [pixel].

    Raises:
        BadSettings: the file cannot be read or used.
    """
    try:
        text = path.read_text(encoding="utf8")
        values = from_poni(text, CAMERAS[stream].pixel_size, shape).settings
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: cannot be read as a PONI file ({error}).") from error
    except PoniError as error:
        raise BadSettings(f"{path}: {error}") from error
    for name, value in values.items():
        settings = settings.replaced(name, value)
    return settings


def with_corrections(
    settings: Settings, dark: Path | None, mask: str, stream: str, shape: tuple[int, int]
) -> Settings:
    """Return settings with a dark level and a mask of a camera.

    Args:
        settings: all others.
        dark: file of the dark level; None: as the settings have it.
        mask: file of the mask, with ``::`` and a dataset behind it or not; empty: likewise.
        stream: of the camera.
        shape: ``(ny, nx)`` of its frames [pixel].

    Raises:
        BadSettings: a file cannot be used for that camera.
    """
    try:
        if dark is not None:
            if CAMERAS[stream].photon_counting:
                raise BadSettings(f"--dark {dark}: {stream} counts photons; leave it out.")
            digest = dark_digest(read_dark(CorrectionFile(str(dark.absolute())), shape))
            file = CorrectionFile(str(dark.absolute()), digest)
            files = {**parse_files(settings.dark), stream: file}
            settings = settings.replaced("dark", format_files(files))
        if mask:
            full = str(Path(mask).absolute())
            file = CorrectionFile(full, digest_of(read_mask_of(CorrectionFile(full), shape)))
            files = {**parse_files(settings.mask), stream: file}
            settings = settings.replaced("mask", format_files(files))
    except (BadCorrection, ParameterError) as error:
        raise BadSettings(str(error)) from error
    return settings


def _from_json(text: str, where: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BadSettings(
            f"{where}: {error}: expected a JSON object such as {_EXAMPLE}."
        ) from error
    if isinstance(content, list):
        try:
            given = {str(row["name"]): str(row["data"]).encode() for row in content}
            return dict(with_new_names({n: given[n] for n in given if n not in _NO_SETTINGS}))
        except (TypeError, KeyError) as error:
            raise BadSettings(f'{where}: expected a list of {{"name", "data"}}.') from error
        except ParameterError as error:
            raise BadSettings(f"{where}: {error}") from error
    if not isinstance(content, dict):
        raise BadSettings(f"{where}: expected a JSON object such as {_EXAMPLE}.")
    return content


_EXAMPLE = '{"photon_roi": {"x": 0, "y": 0, "width": 4128, "height": 4104}}'


def _from_hdf5(path: Path) -> dict[str, Any]:
    try:
        with h5py.File(path, locking=False) as file:
            if _PHOTON_FILE in file:
                text: Any = file[_PHOTON_FILE]
                found = json.loads(text[()])
            elif _IMAGE_FILE in file:
                group: Any = file[_IMAGE_FILE]
                found = {name: plain(group[name][()]) for name in group}
            else:
                raise BadSettings(
                    f"{path} has no settings: give a photon file, a saved sum, or JSON."
                )
    except (OSError, ValueError) as error:
        raise BadSettings(f"{path}: its settings cannot be read ({error}).") from error
    # One of another version may have settings that are gone.
    return {name: value for name, value in found.items() if name in PARAMETERS}


def plain(value: Any) -> Any:
    """Return what h5py gives as Python's own number or text."""
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if hasattr(value, "item") else value
