"""Macros for regions: those of interest, and where single photons are searched."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import json
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Optional, Type

from femtotango.sardana.access import FemtomaxError, choose, connect, plain_errors
from femtotango.sardana.regions import cut_off, fresh_means, image_size
from femtotango.sardana.running_scan import streams_from
from pipeline.model.cameras import CAMERAS
from pipeline.model.roi import format_photon_roi, parse_photon_roi, parse_rois, roi_from_dict

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


class femto_roi(Macro):
    """Add, remove, list or clear regions of interest."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "list", "add, remove, list or clear; default: list"],
        ["name", Type.String, Optional, "Name of the region, for add and remove"],
        *_RECTANGLE,
        [
            "camera",
            Type.String,
            Optional,
            "Whose region it is: " + ", ".join(CAMERAS) + "; default: of the camera that is shown",
        ],
    ]

    def run(self, action: str, name: str | None, *more: Any) -> None:
        """Change the regions, then list them with slot, newest mean and rectangle."""
        *rectangle, camera = more
        action = choose(action, "add", "remove", "list", "clear")
        if action in ("add", "remove") and not name:
            raise FemtomaxError(f"Which region? femto_roi {action} <name>")
        with plain_errors():
            device = connect(self.getEnv)
            if name and action == "add":
                self._add(device, name, tuple(rectangle), camera)
            elif action == "remove":
                device.command_inout("RemoveRoi", name)
            elif action == "clear":
                device.command_inout("ClearRois")
            self._list(device)

    def _add(
        self, device: Any, name: str, rectangle: tuple[float | None, ...], camera: str | None
    ) -> None:
        numbers = _rectangle(rectangle, f"femto_roi add {name} <x> <y> <width> <height>")
        before = parse_rois(device.read_attribute("Rois").value).get(name)
        of_camera = {"camera": next(iter(streams_from(camera)), "")} if camera else {}
        device.command_inout("AddRoi", json.dumps({"name": name, **numbers, **of_camera}))
        if before is not None:
            self.warning(
                "%s was there already and is replaced; it was x %d y %d width %d height %d",
                *(name, before.x, before.y, before.width, before.height),
            )
        roi = parse_rois(device.read_attribute("Rois").value)[name]
        problem = cut_off(roi, *image_size(device, roi.camera))
        if problem:
            self.warning("%s %s", name, problem)

    def _list(self, device: Any) -> None:
        rois = parse_rois(device.read_attribute("Rois").value)
        slots = list(device.read_attribute("RoiSlots").value or ())
        means = fresh_means(device)
        if not rois:
            self.output("no regions: femto_roi add <name> <x> <y> <width> <height>")
        for name, roi in rois.items():
            slot = f"Roi{slots.index(name) + 1}" if name in slots else "no slot"
            mean = f"mean {means[name]:<10g}" if name in means else " " * 15
            self.output(
                "%-16s %-8s %s x %d y %d width %d height %d%s",
                *(name, slot, mean, roi.x, roi.y, roi.width, roi.height),
                f" {roi.camera}" if roi.camera else "",
            )


class femto_photon_roi(Macro):
    """Set, show or remove the region in which single photons are searched."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "set, show, or off: no photon detection; default: show"],
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
