"""Scan records as Sardana sends them."""

from collections.abc import Mapping
from typing import Any

FLUSH_TITLE = "femtotango flush"
"""Title of a Sardana description that starts no scan: workers take it as a call to hand over."""

SARDANA = "sardana"


def record_data(point: int, positions: Mapping[str, float], timestamp: float) -> dict[str, Any]:
    """Return what Sardana sends after each step.

    Args:
        point: number of the step, from 0.
        positions: motor positions by name.
        timestamp: since the start of the scan [s].
    """
    return {"type": "RecordData", "timestamp": timestamp, "point_nb": point, **positions}


def record_end() -> dict[str, Any]:
    """Return what Sardana sends when a scan has ended."""
    return {"type": "RecordEnd", "endtime": "Thu Nov 21 12:21:09 2024", "deadtime": 0.0}
