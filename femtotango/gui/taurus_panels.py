"""The panels for `taurus gui femtotango`; users may move, close and add panels there."""

import os

from taurus.qt.qtgui.taurusgui.utils import PanelDescription

from femtotango.gui.connections import CONNECTIONS
from tango_db.register import template

DEVICE_VARIABLE = "FEMTOTANGO_DEVICE"
"""Environment: name of the device; without it that of a new installation."""

_LAYOUT = "gui/taurus_layout.ini"
"""Where the panels are at first: of what Taurus exports, the group ``MainWindow``."""

_PANELS = {
    "image": ("Image", "image:ImageWidget"),
    "tools": ("Tools", "tools:Tools"),
    "geometry": ("Geometry", "geometry:GeometryPanel"),
    "rois": ("ROIs", "roi_table:RoiTable"),
    "settings": ("Photons", "settings:SettingsPanel"),
    "curves": ("ROI means", "curves:RoiCurves"),
    "histogram": ("Energy histogram", "histogram:EnergyHistogram"),
    "azimuthal": ("Azimuthal curve", "azimuthal:AzimuthalCurve"),
    "status": ("State", "status:StatusLine"),
}
"""Title and class of each panel, by the names of `CONNECTIONS`."""


def _panel(key: str) -> PanelDescription:
    title, widget = _PANELS[key]
    return PanelDescription(
        title,
        classname=f"femtotango.gui.{widget}",
        model=os.environ.get(DEVICE_VARIABLE) or template().device,
        floating=False,
        sharedDataWrite={one.name: one.signal for one in CONNECTIONS if one.sender == key},
        sharedDataRead={one.name: one.slot for one in CONNECTIONS if one.receiver == key},
    )


MEMBERS = {
    "GUI_NAME": "femtotango",
    "ORGANIZATION": "femtotango",
    # Several devices may be looked at.
    "SINGLE_INSTANCE": False,
    "INIFILE": _LAYOUT,
    "MANUAL_URI": None,
    **{f"panel_{number}_{key}": _panel(key) for number, key in enumerate(_PANELS)},
}
"""What Taurus finds in the package `femtotango`, in this order."""
