"""How an attribute's value is found in a view; pure.

Most take a function that picks the value out of what is published. With ``this_scan`` the results
of the scan before count as not published; what is not published is NaN, 0 or empty.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.component.result_row import Read
from femtotango.component.state import View
from femtotango.dranspose_client.services import Progress
from femtotango.text_encoding import latin
from pipeline.model.roi_statistics import STATISTICS
from pipeline.protocols.snapshot import Published


def _values(view: View, this_scan: bool) -> Published:
    return view.of_this_scan if this_scan else view.snapshot


def number(pick: Callable[[Published], float], this_scan: bool = False) -> Read:
    """Read a float; NaN without one."""
    return lambda view: pick(_values(view, this_scan))


def count(pick: Callable[[Published], int | None], this_scan: bool = False) -> Read:
    """Read a number of things; 0 without one."""
    return lambda view: pick(_values(view, this_scan)) or 0


def text(pick: Callable[[Published], str | None], this_scan: bool = False) -> Read:
    """Read a text that Tango can carry; empty without one."""
    return lambda view: latin(pick(_values(view, this_scan)) or "")


def dark_progress(view: View) -> float:
    """Read which share of the frames of a dark level is in; NaN: none was requested."""
    dark, request = view.snapshot.dark, view.settings.requested_dark
    if request is not None and request.identity != dark.request:
        return 0.0
    return dark.frames / dark.wanted if dark.wanted else math.nan


def array(pick: Callable[[Published], NDArray[Any]], this_scan: bool = False) -> Read:
    """Read ``(n,) float64``; empty without one."""
    return lambda view: np.asarray(pick(_values(view, this_scan)), np.float64)


def per_roi(pick: Callable[[Published], NDArray[Any] | None], missing: float) -> Read:
    """Read one value for each ROI, in the order of `RoiNames`."""

    def read(view: View) -> Any:
        values = _by_name(view.of_this_scan, pick)
        return np.array([values.get(name, missing) for name in view.roi_names])

    return read


def roi_table(pick: Callable[[Published], NDArray[Any] | None], missing: float) -> Read:
    """Read ``(roi, statistic)`` in the order of `RoiNames`."""

    def read(view: View) -> Any:
        published = view.of_this_scan
        table = pick(published)
        found = np.full((len(view.roi_names), len(STATISTICS)), missing)
        if table is not None:
            rows = dict(zip(published.roi_names, table, strict=False))
            for row, name in enumerate(view.roi_names):
                found[row] = rows.get(name, missing)
        return found

    return read


def events(pick: Callable[[Progress], int]) -> Read:
    """Read a part of the scan's progress; 0 before it is known."""
    return lambda view: pick(view.scan.progress) if view.scan.progress else 0


def frames_per_point(view: View) -> int:
    """Return what PrepareScan was told; 0 for continuous mode and scans of other clients."""
    return view.scan.burst if view.scan.cameras and not view.scan.continuous else 0


def camera_frames(view: View) -> list[int]:
    """Return how many frames of each of the scan's cameras have results."""
    seen = view.of_this_scan.cameras or {}
    return [seen[camera].scan_processed if camera in seen else 0 for camera in view.cameras]


def map_labels(view: View) -> list[str]:
    """Return the names of the two movables of a map; none of other scans."""
    names = [latin(name) for name in view.of_this_scan.scan.movables or ()]
    return names[:2] if len(names) > 1 else []


def map_values(view: View) -> NDArray[np.float64]:
    """Return the means ``(roi, point)`` of a scan of two movables; empty of others."""
    if not len(view.curves.map_x):
        return np.empty((0, 0))
    return view.curves.rows(view.roi_names, view.curves.means)


def slot_mean(slot: int, view: View) -> float:
    """Return the newest frame's mean of the ROI in a slot."""
    means = _by_name(view.of_this_scan, lambda p: p.roi_newest)
    return means.get(view.slots[slot], math.nan)


def slot_statistic(slot: int, statistic: str, view: View) -> float:
    """Return the newest frame's statistic of the ROI in a slot."""
    published, name = view.of_this_scan, view.slots[slot]
    table = published.roi_newest_statistics
    if table is None or name not in published.roi_names:
        return math.nan
    return float(table[published.roi_names.index(name), STATISTICS.index(statistic)])


def fitted(name: str, view: View) -> float:
    """Return a parameter of the fit; NaN without one."""
    return view.fit.values[name] if view.current else math.nan


def fit_error(name: str, view: View) -> float:
    """Return a parameter's standard error; NaN without one."""
    return view.fit.errors[name] if view.current else math.nan


def fit_curve(view: View) -> NDArray[np.float64]:
    """Return the fitted model over XAxis; empty without one."""
    return view.fit.curve if view.current else np.empty(0)


def slot_curve(slot: int, view: View) -> Any:
    """Return the curve ``(point,)`` of the ROI in a slot; empty for a free one."""
    name = view.slots[slot]
    return view.curves.rows((name,), view.curves.means)[0] if name else np.empty(0)


def age(view: View) -> float:
    """Return the time from the newest frame to the newest poll [s]; NaN before the first frame.

    One digit of it, so that an idle device has little to tell.
    """
    age = view.results.polled - view.snapshot.health.last_frame_time
    if math.isnan(age):
        return age
    step = 10.0 ** max(0, math.floor(math.log10(max(age, 1.0))))
    return max(0.0, math.floor(age / step) * step)


def _by_name(
    published: Published, pick: Callable[[Published], NDArray[Any] | None]
) -> dict[str, float]:
    values = pick(published)
    names = published.roi_names
    return {} if values is None else dict(zip(names, values.tolist(), strict=False))
