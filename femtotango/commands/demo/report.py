"""A table of what a device shows."""

from typing import Any

import numpy as np
from rich.table import Table

_ROWS = (
    ("Detector", "detector"),
    ("ImageUnit", "unit of the image"),
    ("FrameCount", "frames in the image"),
    ("ImageSum", "sum of its valid pixels"),
    ("ImageMax", "brightest pixel"),
    ("ScanTitle", "scan"),
    ("XLabel", "axis"),
    ("XAxis", "positions"),
    ("PhotonCount", "photons of this scan"),
    ("FailedFrames", "frames that could not be used"),
)


def device_table(device: Any) -> Table:
    """Return the main attributes of a device as a table."""
    table = Table(title=f"{device.dev_name()}: {device.state()}")
    table.add_column("attribute")
    table.add_column("value", justify="right")
    table.add_column("meaning", style="dim")
    for name, meaning in _ROWS:
        table.add_row(name, show(device.read_attribute(name).value), meaning)
    return table


def show(value: Any) -> str:
    """Return a value as a text short enough for a table cell."""
    if value is None:
        return "–"
    if isinstance(value, np.ndarray | tuple | list):
        values = [f"{v:.6g}" for v in value[:2]]
        more = [f"{value[-1]:.6g}"] if len(value) > 2 else []
        dots = ["…"] if len(value) > 3 else []
        return f"{', '.join([*values, *dots, *more])} ({len(value)})"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return str(value)
