"""Macros that set up the live analysis: accumulation, thresholds, geometry, raw data."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import time
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Type

from femtotango.sardana.access import FemtomaxError, choose, connect, plain_errors
from pipeline.model.parameter import Parameter, ParameterError, Value
from pipeline.model.parameters import PARAMETERS

THRESHOLDS = (
    "background",
    "cmos_threshold",
    "photon_threshold",
    "energy_threshold",
    "view_threshold",
    "pileup_threshold",
    "max_pileup",
    "max_hit_density",
    "hot_pixel_ratio",
)
GEOMETRY = ("photon_energy", "distance", "beam_x", "beam_y", "tilt", "rotation")

_SHOWN = 2.0
"""[s]"""
_POLL = 0.1


def _change(macro: Macro, names: tuple[str, ...], pairs: list[list[Any]]) -> None:
    """Write the named settings, all or none, then show all settings of the group."""
    rows = [PARAMETERS[name] for name in names]
    checked = [_checked(rows, name, value) for name, value in pairs]
    with plain_errors():
        device = connect(macro.getEnv)
        for parameter, value in checked:
            device.write_attribute(_attribute(parameter), value)
        for row in rows:
            value = device.read_attribute(_attribute(row)).value
            macro.output("%-16s %10g %-7s %s", row.name, value, row.unit, row.help)


def _checked(rows: list[Parameter], name: str, value: float) -> tuple[Parameter, Value]:
    known = {key: row for row in rows for key in (row.name, _attribute(row).lower())}
    row = known.get(name.lower())
    if row is None:
        raise FemtomaxError(
            f"There is no setting {name!r} here: use {', '.join(row.name for row in rows)}."
        )
    try:
        return row, row.check(value)
    except ParameterError as error:
        # Not `from error`: a door sends its text along, and nothing arrives if Tango cannot.
        raise FemtomaxError(f"{error} Nothing was changed.") from None


def _attribute(parameter: Parameter) -> str:
    assert parameter.attribute is not None
    return parameter.attribute


def _described(names: tuple[str, ...]) -> str:
    """Return names, limits and units for the help of a macro."""
    rows = (PARAMETERS[name] for name in names)
    return ", ".join(f"{row.name}{_limits(row)}" for row in rows)


def _limits(row: Parameter) -> str:
    low, high = row.limits or (None, None)
    return "" if low is None else f" ({low:g} ... {high:g} {row.unit}".rstrip() + ")"


class femto_accum(Macro):
    """Sum frames across scans (on), forward the newest frame (off), or start a new sum (reset)."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "on, off, reset or show; default: show"],
    ]

    def run(self, action: str) -> None:
        """Switch, then show the state."""
        commands = {
            "on": "StartAccumulation",
            "off": "StopAccumulation",
            "reset": "ResetAccumulation",
        }
        action = choose(action, *commands, "show")
        with plain_errors():
            device = connect(self.getEnv)
            if action in commands:
                device.command_inout(commands[action])
            state = "on" if device.read_attribute("Accumulate").value else "off"
            count = device.read_attribute("FrameCount").value
        frames = "no frame yet" if count is None else f"{count} frames in the image"
        self.output(
            "accumulation %s, %s", state, "a new sum starts" if action == "reset" else frames
        )


class femto_threshold(Macro):
    """Show background, thresholds and limits of trust, or change some of them."""

    param_def: ClassVar[Any] = [
        [
            "levels",
            [
                ["name", Type.String, None, _described(THRESHOLDS)],
                ["value", Type.Float, None, "New value, in the unit shown"],
                {"min": 0},
            ],
            None,
            "Names and new values; none: only show all",
        ],
    ]

    def run(self, levels: list[list[Any]]) -> None:
        """Write the given values, then show all."""
        _change(self, THRESHOLDS, levels)


class femto_geometry(Macro):
    """Show the detector position and photon energy, or change some of them."""

    param_def: ClassVar[Any] = [
        [
            "values",
            [
                ["name", Type.String, None, _described(GEOMETRY)],
                ["value", Type.Float, None, "New value, in the unit shown"],
                {"min": 0},
            ],
            None,
            "Names and new values; none: only show all",
        ],
    ]

    def run(self, values: list[list[Any]]) -> None:
        """Write the given values, then show all."""
        _change(self, GEOMETRY, values)


class femto_acknowledge(Macro):
    """Show the frames that have neither raw data nor photons, then end their alarm."""

    def run(self) -> None:
        """Print UnsafeFrames, so that they stand in the log, and call AcknowledgeLoss."""
        with plain_errors():
            device = connect(self.getEnv)
            frames = device.read_attribute("UnsafeFrames").value
            device.command_inout("AcknowledgeLoss")
        self.output("acknowledged: %s", frames or "no frame was lost")


class femto_saveraw(Macro):
    """Switch the Balor's raw data on or off; off is refused unless every frame is safe without."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "on, off or show; default: show"],
    ]

    def run(self, action: str) -> None:
        """Switch, then show the state and whether the photons are trusted."""
        action = choose(action, "on", "off", "show")
        with plain_errors():
            device = connect(self.getEnv)
            if action != "show":
                device.write_attribute("SaveRaw", action == "on")
                self._wait_for(device, action == "on")
            value = device.read_attribute("SaveRaw").value
            trusted = device.read_attribute("Trusted").value
            reason = device.read_attribute("TrustReason").value
        if value is None:
            raise FemtomaxError("SaveRaw is not known: the device property BalorDevice is not set.")
        self.output("raw data %s", "are saved" if value else "are NOT saved")
        self.output("photons trusted" if trusted else f"photons not trusted: {reason}")

    def _wait_for(self, device: Any, requested: bool) -> None:
        """Wait until the device shows what was written; it polls the camera only now and then."""
        deadline = time.monotonic() + _SHOWN
        while device.read_attribute("SaveRaw").value != requested and time.monotonic() < deadline:
            self.checkPoint()
            time.sleep(_POLL)
