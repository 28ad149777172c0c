"""How an attribute's value is found in a view; pure.

Each function takes a published path and returns a reader; what is not published is NaN, 0 or empty.
With ``this_scan`` the results of the scan before count as not published.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from femtotango.component.state import View
from femtotango.text_encoding import latin

Read = Callable[[View], Any]


def _values(view: View, this_scan: bool) -> Mapping[str, Any]:
    return view.of_this_scan if this_scan else view.snapshot


def number(path: str, this_scan: bool = False) -> Read:
    """Read a float; NaN without one."""
    return lambda view: float(_values(view, this_scan).get(path, math.nan))


def count(path: str, this_scan: bool = False) -> Read:
    """Read a number of things; 0 without one."""
    return lambda view: int(_values(view, this_scan).get(path, 0))


def text(path: str, this_scan: bool = False) -> Read:
    """Read a text that Tango can carry; empty without one."""
    return lambda view: latin(str(_values(view, this_scan).get(path, "")))


def array(path: str, this_scan: bool = False) -> Read:
    """Read ``(n,) float64``; empty without one."""
    return lambda view: np.asarray(_values(view, this_scan).get(path, ()), np.float64).reshape(-1)


def element(path: str, index: int, default: float) -> Read:
    """Read one element of an array, in the default's type."""

    def read(view: View) -> Any:
        values = view.snapshot.get(path, ())
        return type(default)(values[index]) if len(values) > index else default

    return read


def per_roi(path: str, missing: float) -> Read:
    """Read one value for each ROI, in the order of `RoiNames`."""

    def read(view: View) -> Any:
        values = _by_name(view, path)
        return np.array([values.get(name, missing) for name in view.roi_names])

    return read


def events(part: str) -> Read:
    """Read a part of the scan's progress; 0 before it is known."""
    return lambda view: getattr(view.scan.progress, part) if view.scan.progress else 0


def preview(view: View) -> Any:
    """Return the preview, ``(ny, nx) float32``: block means, or maxima with MaxFilter."""
    image = view.snapshot.get("preview/max" if view.max_filter else "preview/mean")
    return np.empty((0, 0), np.float32) if image is None else np.asarray(image, np.float32)


def slot_mean(slot: int, view: View) -> float:
    """Return the newest frame's mean of the ROI in a slot."""
    return _by_name(view, "roi_newest").get(view.slots[slot], math.nan)


def slot_curve(slot: int, view: View) -> Any:
    """Return the curve ``(point,)`` of the ROI in a slot; empty for a free one."""
    name = view.slots[slot]
    return view.curves.rows((name,), view.curves.means)[0] if name else np.empty(0)


def age(view: View) -> float:
    """Return the time since the newest frame [s]."""
    newest = view.snapshot.get("health/last_frame_time")
    return math.nan if newest is None else max(0.0, time.time() - float(newest))


def _by_name(view: View, path: str) -> dict[str, float]:
    names, values = view.of_this_scan.get("roi_names", ()), view.of_this_scan.get(path, ())
    return dict(zip(names, np.asarray(values).tolist(), strict=False))
