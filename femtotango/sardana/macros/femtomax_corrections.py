"""Macros for the dark level and the mask of the shown camera."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import json
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Optional, Type

from femtotango.sardana.access import FemtomaxError, choose, connect, plain_errors


def _show(macro: Macro, device: Any, attribute: str) -> None:
    """Print each camera's file."""
    files = json.loads(device.read_attribute(attribute).value or "{}")
    for camera, file in files.items():
        macro.output("%s: %s", camera, file["file"])
    if not files:
        macro.output("no camera has one")


class femto_dark(Macro):
    """Take a dark level of the shown camera's next frames, clear it, or show what there is."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "take, clear or show; default: show"],
        ["frames", Type.Integer, 50, "How many frames; default: 50"],
    ]

    def run(self, action: str, frames: int) -> None:
        """Request or clear it, then show it. The door is free for the scan that takes it."""
        action = choose(action, "take", "clear", "show")
        with plain_errors():
            device = connect(self.getEnv)
            if action == "clear":
                device.command_inout("ClearDark")
            if action == "take":
                device.command_inout("TakeDark", frames)
                self.output("the next %d frames become the dark level: take them now", frames)
            _show(self, device, "Dark")
            status = device.read_attribute("Status").value
        for line in status.splitlines():
            if "dark level" in line:
                self.output(line)


class femto_mask(Macro):
    """Load a mask for the shown camera, clear it, or show what there is."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "load, clear or show; default: show"],
        ["path", Type.String, Optional, "Of the mask; relative: under the device's OutputFolder"],
    ]

    def run(self, action: str, path: str | None) -> None:
        """Load or clear it, then show."""
        action = choose(action, "load", "clear", "show")
        if action == "load" and not path:
            raise FemtomaxError("Which file? femto_mask load /data/masks/bad.edf")
        with plain_errors():
            device = connect(self.getEnv)
            if action == "load":
                device.command_inout("LoadMask", path)
            if action == "clear":
                device.command_inout("ClearMask")
            _show(self, device, "Mask")
