"""Values that nobody should write, for any attribute and command, from a seed."""

import random
from typing import Any

import tango

_TEXTS = (
    "",
    " ",
    "\t\n",
    "null",
    "[]",
    "{}",
    "NaN",
    "é" * 40,
    "x" * 50_000,
    "{" * 5_000,
    "[" * 5_000,
    '{"x": 1e400, "y": 0, "width": 5, "height": 5}',
    '{"x": 0, "y": 0, "width": 0, "height": -1}',
    '{"a": {"x": 0, "y": 0, "width": "wide", "height": 5}}',
    '{"name": "a\\"b", "x": 1, "y": 2, "width": 3, "height": 4}',
    '{"name": "ok", "x": NaN, "y": 2, "width": 3, "height": 4}',
    '{"streams": ["nobody"], "steps": 1, "burst": 1}',
    '{"streams": ["pilatus"], "steps": 0, "burst": 1}',
    '{"streams": ["pilatus"], "steps": 1000000000, "burst": 1000000000}',
    '{"streams": "pilatus", "steps": "2", "burst": []}',
    '{"streams": ["pilatus"], "steps": 2, "burst": 3, "timeout": -1}',
    "../../outside",
    "/proc/self/mem",
    "/dev/null/poni",
    "no\\such/folder/file.h5",
    "9" * 5_000,
)
_FLOATS = (float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 5e-324, -0.0, 1e30, -1.0)
_WHOLE = (0, -1, 1, 2**31 - 1, -(2**31), 255, 65_536)
_INTEGERS = {
    tango.CmdArgType.DevLong,
    tango.CmdArgType.DevLong64,
    tango.CmdArgType.DevShort,
    tango.CmdArgType.DevULong,
    tango.CmdArgType.DevUShort,
    tango.CmdArgType.DevUChar,
    tango.CmdArgType.DevVarLongArray,
    tango.CmdArgType.DevVarLong64Array,
}
_FLOATING = {
    tango.CmdArgType.DevDouble,
    tango.CmdArgType.DevFloat,
    tango.CmdArgType.DevVarDoubleArray,
}
_STRINGS = {tango.CmdArgType.DevString, tango.CmdArgType.DevVarStringArray}


def one(rng: random.Random, kind: Any) -> Any:
    """Return one absurd value of a Tango type."""
    if kind in _STRINGS:
        return rng.choice(_TEXTS)
    if kind in _FLOATING:
        return rng.choice(_FLOATS)
    if kind in _INTEGERS:
        value = rng.choice(_WHOLE)
        return abs(value) % 200 if "U" in str(kind) else value
    return rng.choice([True, False])


def many(rng: random.Random, kind: Any) -> list[Any]:
    """Return an absurd array of a Tango type."""
    return [one(rng, kind) for _ in range(rng.choice([0, 1, 3, 5, 200]))]
