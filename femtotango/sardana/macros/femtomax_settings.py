"""Macros that set up the live analysis: accumulation, regions, thresholds, geometry, raw data."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import json
import time
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Optional, Type

from femtotango.sardana.access import FemtomaxError, choose, connect, plain_errors
from pipeline.model.parameters import PARAMETERS, Parameter
from pipeline.model.roi import format_photon_roi, parse_photon_roi, parse_rois, roi_from_dict

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

_RECTANGLE = [
    ["x", Type.Float, Optional, "First column [pixel]"],
    ["y", Type.Float, Optional, "First row [pixel]"],
    ["width", Type.Float, Optional, "Width [pixel]"],
    ["height", Type.Float, Optional, "Height [pixel]"],
]


def _rectangle(values: tuple[float | None, ...], usage: str) -> dict[str, float]:
    rectangle = {
        name: value
        for name, value in zip(("x", "y", "width", "height"), values, strict=True)
        if value is not None
    }
    if len(rectangle) != 4:
        raise FemtomaxError(f"A region needs x, y, width and height: {usage}")
    return rectangle


def _change(macro: Macro, names: tuple[str, ...], pairs: list[list[Any]]) -> None:
    """Write the named settings, then show all settings of the group."""
    known = {PARAMETERS[name].name: PARAMETERS[name] for name in names}
    for name, _ in pairs:
        if name.lower() not in known:
            raise FemtomaxError(f"There is no setting {name!r} here: use {', '.join(known)}.")
    with plain_errors():
        device = connect(macro.getEnv)
        for name, value in pairs:
            device.write_attribute(_attribute(known[name.lower()]), value)
        for name, parameter in known.items():
            value = device.read_attribute(_attribute(parameter)).value
            macro.output("%-16s %10g %-7s %s", name, value, parameter.unit, parameter.help)


def _attribute(parameter: Parameter) -> str:
    assert parameter.attribute is not None
    return parameter.attribute


class femto_accum(Macro):
    """Sum frames across scans (on), forward the newest frame (off), or start a new sum (reset)."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "on, off, reset, or show"],
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


class femto_roi(Macro):
    """Add, remove, list or clear regions of interest."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "list", "add, remove, list or clear"],
        ["name", Type.String, Optional, "Name of the region, for add and remove"],
        *_RECTANGLE,
    ]

    def run(self, action: str, name: str | None, *rectangle: float | None) -> None:
        """Change the regions, then list them with slot, newest mean and rectangle."""
        action = choose(action, "add", "remove", "list", "clear")
        if action in ("add", "remove") and not name:
            raise FemtomaxError(f"Which region? femto_roi {action} <name>")
        with plain_errors():
            device = connect(self.getEnv)
            if action == "add":
                numbers = _rectangle(rectangle, f"femto_roi add {name} <x> <y> <width> <height>")
                device.command_inout("AddRoi", json.dumps({"name": name, **numbers}))
            elif action == "remove":
                device.command_inout("RemoveRoi", name)
            elif action == "clear":
                device.command_inout("ClearRois")
            self._list(device)

    def _list(self, device: Any) -> None:
        rois = parse_rois(device.read_attribute("Rois").value)
        slots = list(device.read_attribute("RoiSlots").value or ())
        names = list(device.read_attribute("RoiNames").value or ())
        newest = device.read_attribute("RoiMeans").value
        values = [] if newest is None else newest.tolist()
        means: dict[str, float] = dict(zip(names, values, strict=False))
        if not rois:
            self.output("no regions: femto_roi add <name> <x> <y> <width> <height>")
        for name, roi in rois.items():
            slot = f"Roi{slots.index(name) + 1}" if name in slots else "no slot"
            self.output(
                "%-16s %-8s mean %-10g x %d y %d width %d height %d",
                *(name, slot, means.get(name, float("nan")), roi.x, roi.y, roi.width, roi.height),
            )


class femto_photon_roi(Macro):
    """Set, show or remove the region in which single photons are searched."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "set, show, or off: no photon detection"],
        *_RECTANGLE,
    ]

    def run(self, action: str, *rectangle: float | None) -> None:
        """Write the region, then show it."""
        action = choose(action, "set", "show", "off")
        with plain_errors():
            device = connect(self.getEnv)
            if action == "set":
                numbers = _rectangle(rectangle, "femto_photon_roi set <x> <y> <width> <height>")
                roi = roi_from_dict("PhotonRoi", numbers)
                device.write_attribute("PhotonRoi", format_photon_roi(roi))
            elif action == "off":
                device.write_attribute("PhotonRoi", format_photon_roi(None))
            roi = parse_photon_roi(device.read_attribute("PhotonRoi").value)
        if roi is None:
            self.output("photon detection off")
        else:
            self.output(
                "photons in x %d y %d width %d height %d", roi.x, roi.y, roi.width, roi.height
            )


class femto_threshold(Macro):
    """Show background, thresholds and limits of trust, or change some of them."""

    param_def: ClassVar[Any] = [
        [
            "levels",
            [
                ["name", Type.String, None, ", ".join(THRESHOLDS)],
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
                ["name", Type.String, None, ", ".join(GEOMETRY)],
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


class femto_saveraw(Macro):
    """Switch the Balor's raw data on or off; off is refused until the photons are trusted."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "on, off, or show"],
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
