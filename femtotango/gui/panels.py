"""The widgets as panels: ``FEMTOTANGO_DEVICE=a/b/c taurus gui femtotango.gui.panels``."""

import os

from taurus.qt.qtgui.taurusgui.utils import PanelDescription

DEVICE_VARIABLE = "FEMTOTANGO_DEVICE"
"""Environment variable with the name of the device; Taurus passes no arguments on."""

GUI_NAME = "femtomax"
ORGANIZATION = "femtotango"

_CLASSES = {
    "Tools": "femtotango.gui.tools:Tools",
    "Geometry": "femtotango.gui.geometry:GeometryPanel",
    "Image": "femtotango.gui.image:ImageWidget",
    "ROIs": "femtotango.gui.roi_table:RoiTable",
    "Settings": "femtotango.gui.settings:SettingsPanel",
    "ROI means": "femtotango.gui.curves:RoiCurves",
    "Energy histogram": "femtotango.gui.histogram:EnergyHistogram",
    "Azimuthal curve": "femtotango.gui.azimuthal:AzimuthalCurve",
    "Status": "femtotango.gui.status:StatusLine",
}


def panel_descriptions(device: str) -> dict[str, PanelDescription]:
    """Describe every widget of the viewer as a panel.

    Args:
        device: name of the device; empty: panels without a model.

    Returns:
        The descriptions by title.
    """
    return {
        title: PanelDescription(title, classname=classname, model=device or None)
        for title, classname in _CLASSES.items()
    }


# Taurus takes the descriptions from the names of this module.
globals().update(
    {
        f"panel_{n}": d
        for n, d in enumerate(panel_descriptions(os.environ.get(DEVICE_VARIABLE, "")).values())
    }
)
