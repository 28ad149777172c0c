"""A setup: ROIs, q values and geometry in one JSON file, for viewer, command and macro.

    {"femtotango_setup": 1,
     "geometry": {"photon_energy": 13.5, "distance": 0.131, …},
     "q_values": [1.51, 2.14],
     "rois": {"ring": {"x": 430, "y": 330, "width": 40, "height": 70}}}

Each of the three parts may be missing; it is then left as it is.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from femtotango.text_encoding import carriable
from pipeline.files.atomic import FileError, write_new, write_over
from pipeline.model.parameter import ParameterError, Value
from pipeline.model.parameters import PARAMETERS
from pipeline.model.roi import Roi, RoiError, format_rois, parse_rois

VERSION = 1
ENDING = ".json"
GEOMETRY = (
    *("photon_energy", "distance", "beam_x", "beam_y", "tilt", "rotation"),
    "geometry_camera",
)
"""Parameters of the geometry, in the order of writing; units are those of their table.

Whose position it is comes last: the device sets that too when a position is written.
"""

_MARK = "femtotango_setup"
_PARTS = ("geometry", "q_values", "rois")
_ROIS, _Q_VALUES = "Rois", "QValues"
_LARGEST = 1_000_000
"""A longer file is something else [byte]."""


class SetupError(ValueError):
    """A setup that cannot be used; the text names the key and says what is accepted."""


@dataclass(frozen=True)
class Setup:
    """What a file holds; None: not in it."""

    geometry: Mapping[str, Value] | None = None
    """By parameter."""
    q_values: tuple[float, ...] | None = None
    """[1/Å]"""
    rois: Mapping[str, Roi] | None = None

    def attributes(self) -> dict[str, Any]:
        """Return what to write, by attribute."""
        values: dict[str, Any] = {}
        for name in GEOMETRY:
            if self.geometry is not None and name in self.geometry:
                values[_attribute(name)] = self.geometry[name]
        if self.q_values is not None:
            values[_Q_VALUES] = list(self.q_values)
        if self.rois is not None:
            values[_ROIS] = format_rois(self.rois)
        return values

    def summary(self) -> str:
        """Say in a few words what is in it."""
        parts = []
        if self.geometry is not None:
            parts.append("geometry")
        if self.q_values is not None:
            parts.append(_counted(len(self.q_values), "q value"))
        if self.rois is not None:
            parts.append(_counted(len(self.rois), "ROI"))
        return ", ".join(parts)


def read_setup(device: Any) -> Setup:
    """Return the setup that a device has now.

    Args:
        device: a tango.DeviceProxy.

    Raises:
        SetupError: the device has no values.
    """
    values = _values(device, [*map(_attribute, GEOMETRY), _Q_VALUES, _ROIS])
    geometry = {name: values[_attribute(name)] for name in GEOMETRY}
    missing = [_attribute(name) for name, value in geometry.items() if value is None]
    if missing:
        raise SetupError(f"The device has no value of {', '.join(missing)}: nothing to save.")
    q_values = tuple(float(q) for q in values[_Q_VALUES])
    return Setup(geometry, q_values, parse_rois(values[_ROIS] or ""))


def write_setup(device: Any, setup: Setup) -> dict[str, Any]:
    """Give a device a setup: all of it or, when the device refuses a part, nothing.

    Args:
        device: a tango.DeviceProxy.
        setup: what to write.

    Returns:
        The values of before, by attribute.

    Raises:
        tango.DevFailed: the device refused a value, or does not answer.
    """
    values = setup.attributes()
    before = _values(device, list(values))
    written: list[str] = []
    try:
        for name, value in values.items():
            written.append(name)
            device.write_attribute(name, value)
    except Exception:
        for name in written[:-1]:
            if before[name] is not None:
                device.write_attribute(name, before[name])
        raise
    return before


def format_setup(setup: Setup) -> str:
    """Write a setup as the JSON that `parse_setup` reads."""
    content: dict[str, Any] = {_MARK: VERSION}
    if setup.geometry is not None:
        content["geometry"] = dict(setup.geometry)
    if setup.q_values is not None:
        content["q_values"] = list(setup.q_values)
    if setup.rois is not None:
        content["rois"] = {name: roi.as_dict() for name, roi in setup.rois.items()}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def parse_setup(text: str) -> Setup:
    """Read a setup from JSON; every value in it is checked.

    Raises:
        SetupError: it is no setup, a key is not known, or a value cannot be used.
    """
    content = _load(text)
    if not isinstance(content, dict) or _MARK not in content:
        raise SetupError(f"This is no setup: the key {_MARK!r} is missing.")
    if content[_MARK] != VERSION:
        raise SetupError(f"{_MARK} = {content[_MARK]!r}: expected {VERSION}.")
    _only(content, (_MARK, *_PARTS), "")
    if not any(part in content for part in _PARTS):
        raise SetupError(f"The setup is empty: it may have {', '.join(_PARTS)}.")
    return Setup(
        _geometry(content["geometry"]) if "geometry" in content else None,
        _q_values(content["q_values"]) if "q_values" in content else None,
        _rois(content["rois"]) if "rois" in content else None,
    )


def load_setup(file: Path) -> Setup:
    """Read a setup from a file.

    Raises:
        SetupError: the file cannot be read, or is no setup.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise SetupError(f"{file} is no setup: it has more than {_LARGEST} bytes.")
        text = file.read_text(encoding="utf8")
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise SetupError(f"{file} is no setup: it is not UTF-8 text.") from error
    try:
        return parse_setup(text)
    except SetupError as error:
        raise SetupError(f"{file}: {error} Nothing was changed.") from error


def save_setup(file: Path, setup: Setup, *, replace: bool) -> None:
    """Write a setup to a file, which appears whole or not at all.

    Args:
        file: its folder must exist.
        setup: what to write.
        replace: a file of that name may be there, and is replaced.

    Raises:
        SetupError: the file cannot be written, or there is one already.
    """
    text = format_setup(setup)
    try:
        if replace:
            write_over(file, text)
        else:
            write_new(file, lambda part: part.write_text(text, encoding="utf8"))
    except FileError as error:
        raise SetupError(f"Not saved: {error}") from error


def _geometry(value: Any) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise SetupError(f"geometry = {value!r}: expected an object with {', '.join(GEOMETRY)}.")
    _only(value, GEOMETRY, "geometry")
    try:
        return {name: PARAMETERS[name].check(number) for name, number in value.items()}
    except ParameterError as error:
        raise SetupError(f"geometry: {error}") from error


def _q_values(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise SetupError(f"q_values = {value!r}: expected a list of numbers above 0.")
    for q in value:
        number = isinstance(q, int | float) and not isinstance(q, bool)
        if not number or not 0 < q < math.inf:
            raise SetupError(f"q_values: {q!r}: expected a number above 0 [1/angstrom].")
    return tuple(float(q) for q in value)


def _rois(value: Any) -> dict[str, Roi]:
    try:
        rois = parse_rois(json.dumps(value))
    except RoiError as error:
        raise SetupError(f"rois: {error}") from error
    for name in rois:
        if not carriable(name):
            raise SetupError(f"rois: ROI name {name!r}: Tango carries Latin-1 characters only.")
    return rois


def _load(text: str) -> Any:
    def no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key, value in pairs:
            if key in content:
                raise SetupError(f"The key {key!r} stands there twice.")
            content[key] = value
        return content

    try:
        return json.loads(text, object_pairs_hook=no_doubles)
    except SetupError:
        raise
    except (ValueError, RecursionError) as error:
        raise SetupError(f"This is not JSON ({error}).") from error


def _only(content: Mapping[str, Any], accepted: tuple[str, ...], where: str) -> None:
    for key in content:
        if key not in accepted:
            place = f" in {where}" if where else ""
            raise SetupError(
                f"The key {key!r}{place} is not known; accepted are {', '.join(accepted)}."
            )


def _attribute(name: str) -> str:
    attribute = PARAMETERS[name].attribute
    assert attribute is not None
    return attribute


def _values(device: Any, names: list[str]) -> dict[str, Any]:
    values = {}
    for name, attribute in zip(names, device.read_attributes(names), strict=True):
        value = None if attribute.has_failed else attribute.value
        # Tango gives None for an empty spectrum.
        values[name] = np.empty(0) if value is None and name == _Q_VALUES else value
    return values


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
