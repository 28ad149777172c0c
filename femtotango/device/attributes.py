"""Tango attributes built from the parameter table and from the table of results."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tango import AttrWriteType, DispLevel
from tango.server import attribute

from femtotango.component.image_results import (
    ACCUMULATED_IMAGE,
    MAX_IMAGE,
    camera_attribute,
    image_results,
)
from femtotango.component.result_attributes import RESULTS
from femtotango.component.result_row import Result
from femtotango.errors import BadValue
from femtotango.text_encoding import ascii_only
from pipeline.model.parameter import Parameter
from pipeline.model.parameters import ATTRIBUTES

MAX_FILTER = "MaxFilter"
Q_VALUES = "QValues"
SAVE_RAW = "SaveRaw"
MAX_Q_VALUES = 100

_CHANGES = {"change_event_implemented": True, "change_event_detect": False}
_PUSHED = {**_CHANGES, "archive_event_implemented": True, "archive_event_detect": False}
_EXPERT_SETTINGS = frozenset(
    {"hot_pixel_ratio", "max_hit_density", "max_pileup", "histogram_bins", "azimuthal_bins"}
)
"""Parameters that are set once by somebody who knows the detector."""
_SETTING_TYPES = {bool: "DevBoolean", int: "DevLong", float: "DevDouble", str: "DevString"}
_RESULT_TYPES = {
    bool: "DevBoolean",
    int: "DevLong64",
    float: "DevDouble",
    str: "DevString",
    np.float32: "DevFloat",
}

_FORMATS = {"m": "%.7f", "keV": "%.5f", "": "%.5f"}
"""Display formats by unit: stock Taurus forms write back what they show, and Tango's own format
%6.2f would make 0.13 of a distance of 0.131 m."""
_FORMAT = "%.3f"


@cache
def label(name: str) -> str:
    """Return an attribute's name as words; a camera's name stays as it is."""
    name, _, camera = name.partition("_")
    words = re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])", " ", name)
    return f"{words} {camera}".rstrip()


def _format(kind: type, unit: str) -> dict[str, str]:
    return {"format": _FORMATS.get(unit, _FORMAT)} if kind is float else {}


def _level(expert: bool) -> dict[str, DispLevel]:
    return {"display_level": DispLevel.EXPERT if expert else DispLevel.OPERATOR}


def setting(name: str, parameter: Parameter) -> attribute:
    """Build a read/write attribute; the device has `read_setting` and `write_setting`."""

    def read(self: Any) -> Any:
        return self.read_setting(parameter.name)

    def write(self: Any, value: Any) -> None:
        self.write_setting(name, parameter.name, value)

    limits: dict[str, Any] = {}
    if parameter.choices:
        limits = {"enum_labels": list(parameter.choices)}
    if parameter.limits is not None:
        low, high = (parameter.kind(limit) for limit in parameter.limits)
        limits = {"min_value": low, "max_value": high}
    return attribute(
        fget=read,
        fset=write,
        access=AttrWriteType.READ_WRITE,
        dtype="DevEnum" if parameter.choices else _SETTING_TYPES[parameter.kind],
        label=label(name),
        unit=parameter.unit,
        doc=ascii_only(parameter.help),
        # The device takes its memory up itself, before it begins: see DeviceMemory.
        memorized=True,
        **_level(parameter.name in _EXPERT_SETTINGS),
        **_format(parameter.kind, parameter.unit),
        **limits,
        **_PUSHED,
    )


def _events(row: Result) -> dict[str, bool]:
    # Archives take no images.
    return _CHANGES if len(row.dims) > 1 else _PUSHED


def result(row: Result) -> attribute:
    """Build a read-only attribute; the device has `read_result`."""
    return _result(row, lambda self: self.read_result(row))


def _result(row: Result, read: Callable[..., Any], **more: Any) -> attribute:
    kind: Any = _RESULT_TYPES[row.kind]
    sizes = dict(zip(("max_dim_x", "max_dim_y"), row.dims, strict=False))
    for _ in row.dims:
        kind = (kind,)
    return attribute(
        fget=read,
        access=AttrWriteType.READ,
        dtype=kind,
        label=label(row.name),
        unit=row.unit,
        doc=row.doc,
        **_format(row.kind, row.unit),
        **sizes,
        **_level(row.expert),
        **(_events(row) if row.events else {}),
        **more,
    )


def _special() -> dict[str, attribute]:
    """Build the attributes that are in neither table."""
    return {
        MAX_FILTER: attribute(
            fget=lambda self: self.read_max_filter(),
            fset=lambda self, value: self.write_max_filter(value),
            access=AttrWriteType.READ_WRITE,
            dtype="DevBoolean",
            label=label(MAX_FILTER),
            doc="Preview and binned regions show the block maximum: single photons stay visible.",
            memorized=True,
            **_PUSHED,
        ),
        Q_VALUES: attribute(
            fget=lambda self: self.read_q_values(),
            fset=lambda self, value: self.write_q_values(value),
            access=AttrWriteType.READ_WRITE,
            dtype=("DevDouble",),
            max_dim_x=MAX_Q_VALUES,
            label="Q Values",
            unit="1/angstrom",
            doc="Rings to draw; kept over a restart.",
            **_PUSHED,
        ),
        SAVE_RAW: attribute(
            fget=lambda self: self.read_save_raw(),
            fset=lambda self, value: self.write_save_raw(value),
            access=AttrWriteType.READ_WRITE,
            dtype="DevBoolean",
            label=label(SAVE_RAW),
            doc="The Balor writes its raw data; false only while every frame is safe without them.",
            **_PUSHED,
        ),
        ACCUMULATED_IMAGE: _full_image(lambda self: self.read_accumulated_image()),
    }


def _full_image(read: Callable[..., Any], name: str = ACCUMULATED_IMAGE) -> attribute:
    return attribute(
        name=name,
        fget=read,
        access=AttrWriteType.READ,
        dtype=(("DevFloat",),),
        max_dim_x=MAX_IMAGE,
        max_dim_y=MAX_IMAGE,
        label=label(name),
        doc="The image in full, fetched when it is read; masked pixels are NaN.",
    )


def camera_attributes(stream: str) -> dict[str, attribute]:
    """Return the attributes of one camera, which are added while the server runs.

    Their reading functions are given the attribute too, unlike those of the class.
    """
    found: dict[str, attribute] = {}
    for row in image_results(stream):
        found[row.name] = _result(row, _reader(row), name=row.name)
    name = camera_attribute(ACCUMULATED_IMAGE, stream)
    found[name] = _full_image(lambda self, _: self.read_accumulated_image(stream), name)
    return found


def _reader(row: Result) -> Callable[..., Any]:
    return lambda self, _: self.read_result(row)


def check_q_values(values: Any) -> NDArray[np.float64]:
    """Return the rings to draw as an array.

    Raises:
        BadValue: too many, or one that is not above 0.
    """
    array = np.array([] if values is None else values, np.float64).reshape(-1)
    if len(array) > MAX_Q_VALUES:
        raise BadValue(f"QValues: {len(array)} given, at most {MAX_Q_VALUES} are possible.")
    wrong = array[~(np.isfinite(array) & (array > 0))]
    if len(wrong):
        raise BadValue(f"QValues: {wrong[0]:g} given, expected values above 0 [1/angstrom].")
    return array


def all_attributes() -> dict[str, attribute]:
    """Return every attribute by name."""
    return {
        **{name: setting(name, parameter) for name, parameter in ATTRIBUTES.items()},
        **{row.name: result(row) for row in RESULTS},
        **_special(),
    }
