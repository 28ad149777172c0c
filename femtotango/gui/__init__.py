"""The live viewer: one window of small Taurus widgets that reach the device by Tango alone."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_PANELS = (
    "azimuthal",
    "curves",
    "geometry",
    "histogram",
    "image",
    "roi_table",
    "settings",
    "status",
    "tools",
)
"""Taurus GUIs name our widgets ``femtotango.gui.image:ImageWidget``; the files are in `panels`."""


def _name_for_taurus(panel: str) -> None:
    """Give a panel its public name; the panel and Qt are imported when a widget is asked for."""
    module = ModuleType(f"{__name__}.{panel}", f"Public name of `{__name__}.panels.{panel}`.")

    def attribute(name: str) -> Any:
        if name.startswith("__"):
            # Tools that ask every loaded module for its file must not import Qt.
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.panels.{panel}"), name)

    module.__dict__["__getattr__"] = attribute
    sys.modules[module.__name__] = module
    globals()[panel] = module


for _panel in _PANELS:
    _name_for_taurus(_panel)
