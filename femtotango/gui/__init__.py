"""The live viewer: one window of small Taurus widgets that reach the device by Tango alone."""

import sys
from importlib import import_module
from types import ModuleType

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
"""Taurus GUIs name our widgets ``femtotango.gui.image:ImageWidget``; they stand in `panels`."""


def _name_for_taurus(panel: str) -> None:
    """Give a panel its public name; it and Qt are imported when a widget is asked for."""
    module = ModuleType(f"{__name__}.{panel}", f"Public name of `{__name__}.panels.{panel}`.")
    module.__dict__["__getattr__"] = lambda name: getattr(
        import_module(f"{__name__}.panels.{panel}"), name
    )
    sys.modules[module.__name__] = module


for _panel in _PANELS:
    _name_for_taurus(_panel)
