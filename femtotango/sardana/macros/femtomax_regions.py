"""Macros for regions: those of interest, and where single photons are searched."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import json
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Optional, Type

from femtotango.sardana.access import FemtomaxError, choose, connect, plain_errors
from femtotango.sardana.region_words import RECTANGLE, Words, comparison, read_words
from femtotango.sardana.regions import cut_off, fresh_values, image_size
from femtotango.sardana.running_scan import streams_from
from pipeline.model.cameras import CAMERAS
from pipeline.model.roi import format_photon_roi, parse_photon_roi, parse_rois, roi_from_dict
from pipeline.model.roi_statistics import STATISTICS

_ACTIONS = ("add", "compare", "remove", "list", "clear", "statistic")
_NAMED = ("add", "compare", "remove")
_COMPARED = ("add", "compare")


class femto_roi(Macro):
    """Add, compare, remove, list or clear regions of interest, or choose what is shown of them."""

    param_def: ClassVar[Any] = [
        [
            "action",
            Type.String,
            "list",
            f"{', '.join(_ACTIONS[:-1])} or {_ACTIONS[-1]}; default: list",
        ],
        [
            "name",
            Type.String,
            Optional,
            "Name of the region, for add, compare and remove; for statistic one of "
            + ", ".join(STATISTICS)
            + "; none: only show",
        ],
        [
            "more",
            [
                [
                    "word",
                    Type.String,
                    None,
                    "For add: x y width height [pixel], then, where wanted, the camera ("
                    + ", ".join(CAMERAS)
                    + "; default: the one that is shown) and a comparison. For compare: minus "
                    "REGION, over REGION or over column:NAME, both or none; what is not given "
                    "ends",
                ],
                {"min": 0},
            ],
            None,
            "Rectangle, camera and comparison; none: for the other actions",
        ],
    ]

    def run(self, action: str, name: str | None, more: list[str]) -> None:
        """Change the regions, then list them with slot, newest value and rectangle."""
        action = choose(action, *_ACTIONS)
        if action in _NAMED and not name:
            raise FemtomaxError(f"Which region? femto_roi {action} <name>")
        if more and action not in _COMPARED:
            raise FemtomaxError(
                f"{' '.join(more)!r} behind {action}: only {' and '.join(_COMPARED)} take more."
            )
        words = read_words(more)
        with plain_errors():
            device = connect(self.getEnv)
            if name and action == "add":
                self._add(device, name, words)
            elif name and action == "compare":
                self._compare(device, name, words)
            elif name and action == "statistic":
                number = STATISTICS.index(choose(name, *STATISTICS))
                device.write_attribute("RoiStatistic", number)
            elif action == "remove":
                device.command_inout("RemoveRoi", name)
            elif action == "clear":
                device.command_inout("ClearRois")
            self._list(device, action)

    def _add(self, device: Any, name: str, words: Words) -> None:
        if len(words.numbers) != len(RECTANGLE):
            raise FemtomaxError(
                "A region needs x, y, width and height: "
                f"femto_roi add {name} <x> <y> <width> <height>"
            )
        before = parse_rois(device.read_attribute("Rois").value).get(name)
        of_camera = {"camera": next(iter(streams_from(words.camera)), "")} if words.camera else {}
        numbers = dict(zip(RECTANGLE, words.numbers, strict=True))
        roi = {"name": name, **numbers, **of_camera, **words.comparison}
        device.command_inout("AddRoi", json.dumps(roi))
        if before is not None:
            self.warning(
                "%s was there already and is replaced; it was x %d y %d width %d height %d%s",
                *(name, before.x, before.y, before.width, before.height, comparison(before)),
            )
        roi = parse_rois(device.read_attribute("Rois").value)[name]
        problem = cut_off(roi, *image_size(device, roi.camera))
        if problem:
            self.warning("%s %s", name, problem)

    def _compare(self, device: Any, name: str, words: Words) -> None:
        if words.numbers:
            raise FemtomaxError(
                f"femto_roi compare {name} minus <region> over <region>: a new place needs add."
            )
        rois = parse_rois(device.read_attribute("Rois").value)
        if name not in rois:
            raise FemtomaxError(
                f"There is no region {name!r}; there are {', '.join(rois) or 'none'}."
            )
        place = rois[name].place.as_dict()
        device.command_inout("AddRoi", json.dumps({"name": name, **place, **words.comparison}))

    def _list(self, device: Any, action: str) -> None:
        rois = parse_rois(device.read_attribute("Rois").value)
        slots = list(device.read_attribute("RoiSlots").value or ())
        statistic = STATISTICS[device.read_attribute("RoiStatistic").value]
        values = fresh_values(device, statistic)
        if not rois:
            self.output("no regions: femto_roi add <name> <x> <y> <width> <height>")
        if statistic != STATISTICS[0] or action == "statistic":
            self.output("%s is shown of each region: femto_roi statistic <name>", statistic)
        for name, roi in rois.items():
            slot = f"Roi{slots.index(name) + 1}" if name in slots else "no slot"
            value = f"{statistic} {values[name]:<10g}" if name in values else " " * 15
            self.output(
                "%-16s %-8s %s x %d y %d width %d height %d%s%s",
                *(name, slot, value, roi.x, roi.y, roi.width, roi.height),
                f" {roi.camera}" if roi.camera else "",
                comparison(roi),
            )


class femto_photon_roi(Macro):
    """Set, show or remove the region in which single photons are searched."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "set, show, or off: no photon detection; default: show"],
        ["x", Type.Float, Optional, "First column [pixel]"],
        ["y", Type.Float, Optional, "First row [pixel]"],
        ["width", Type.Float, Optional, "Width [pixel]"],
        ["height", Type.Float, Optional, "Height [pixel]"],
    ]

    def run(self, action: str, *rectangle: float | None) -> None:
        """Write the region, then show it."""
        action = choose(action, "set", "show", "off")
        with plain_errors():
            device = connect(self.getEnv)
            if action == "set":
                if None in rectangle:
                    raise FemtomaxError(
                        "A region needs x, y, width and height: "
                        "femto_photon_roi set <x> <y> <width> <height>"
                    )
                roi = roi_from_dict("PhotonRoi", dict(zip(RECTANGLE, rectangle, strict=True)))
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
