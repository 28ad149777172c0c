"""The Tango face of the FemtoMAX pipeline."""

import sys
from importlib import import_module
from typing import Any

_TAURUS_GUI = "taurus.qt.qtgui.taurusgui.utils"


def _taurus_members() -> dict[str, Any]:
    """Return what `taurus gui femtotango` looks for here; empty when it does not look."""
    if _TAURUS_GUI not in sys.modules:
        return {}
    return import_module("femtotango.gui.taurus_panels").MEMBERS


def __dir__() -> list[str]:
    return [*globals(), *_taurus_members()]


def __getattr__(name: str) -> Any:
    members = {} if name.startswith("__") else _taurus_members()
    if name not in members:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return members[name]
