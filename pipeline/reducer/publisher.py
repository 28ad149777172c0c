"""The tree that the reducer publishes: plain numbers, texts and arrays, with NeXus attributes."""

import json
import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.binning import BinnedImage, full_image, make_preview
from pipeline.model.cameras import CAMERAS
from pipeline.protocols.snapshot import CURVES, IMAGE, SNAPSHOT, flatten, pack
from pipeline.reducer.accumulation import Sum
from pipeline.reducer.roi_curves import RoiSeries, ScanAxis
from pipeline.reducer.scan import ScanState
from pipeline.reducer.state import ReducerStore

FRAME_NUMBER = "frame number"
"""Label of the axis where nothing moves."""


_NO_PHOTONS = {
    "trusted": 0,
    "may_drop_raw": 0,
    "reason": "No photon detection in this scan: set PhotonRoi and use the Balor.",
}


class LazyArray:
    """An array that is made when somebody reads it, once."""

    def __init__(self, make: Callable[[], NDArray[Any]], lock: threading.RLock) -> None:
        self._make = make
        self._lock = lock
        self._array: NDArray[Any] | None = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        with self._lock:
            if self._array is None:
                self._array = self._make()
        return np.array(self._array, dtype=dtype, copy=copy)


class Publisher:
    """Builds the tree from the reducer's state, when it is read and something has changed."""

    def __init__(self, store: ReducerStore) -> None:
        self._store = store
        self._tree: dict[str, Any] = {}
        self._revision = -1
        self._preview: tuple[int, BinnedImage] | None = None
        self._frames_text: tuple[int, str] = (-1, "{}")
        self.extra: dict[str, dict[str, Any]] = {}
        """Groups that are computed elsewhere: azimuthal, geometry."""
        self.settled: Callable[[], bool] = lambda: True
        """Says whether they belong to the image that is shown."""
        self.alarms: list[str] = []
        """What a person should know: files that cannot be written."""

    def tree(self) -> dict[str, Any]:
        """Return the tree; it is never changed afterwards."""
        store = self._store
        with store.lock:
            if self._revision != store.revision:
                self._tree = self._build()
                self._revision = store.revision
            return self._tree

    def _lazy(self, make: Callable[[], NDArray[Any]]) -> LazyArray:
        return LazyArray(make, self._store.lock)

    def _build(self) -> dict[str, Any]:
        store = self._store
        tree: dict[str, Any] = {
            "_attrs": {"NX_class": "NXentry", "default": "accumulated"},
            "revision": store.revision,
            **self._image(),
            **self._scan(store.scan),
            **self.extra,
        }
        tree["health"] = self._health()
        packed = tree
        tree[SNAPSHOT] = self._lazy(lambda: pack(flatten(packed)))
        return tree

    def _image(self) -> dict[str, Any]:
        accumulation = self._store.accumulation
        shown = accumulation.shown
        if shown is None:
            return {"accumulated_number": 0}
        if self._preview is None or self._preview[0] != accumulation.changes:
            self._preview = (accumulation.changes, make_preview(shown.image, shown.good))
        preview = self._preview[1]
        camera = CAMERAS[shown.stream]
        image = self._lazy(lambda: full_image(shown.image, shown.good, preview.hottest))
        attributes = {"interpretation": "image", "units": shown.unit}
        return {
            IMAGE: image,
            "image_attrs": attributes,
            "accumulated": {"image": image, "image_attrs": attributes},
            "accumulated_attrs": {"NX_class": "NXdata", "signal": "image"},
            "image_unit": shown.unit,
            "image_shape": np.array(shown.shape, np.int64),
            **_scalar("image_sum", preview.total),
            **_scalar("image_max", preview.hottest),
            "accumulated_number": shown.count,
            "sum_dtype": shown.image.dtype.str,
            "sum_frames": self._frames(shown),
            "sum_settings": json.dumps(shown.settings.values()),
            **_region(shown),
            "preview": {
                "mean": preview.mean,
                "max": preview.max,
                "binning": preview.binning,
                "mean_attrs": attributes,
                "max_attrs": attributes,
            },
            "preview_attrs": {"NX_class": "NXdata", "signal": "mean"},
            "pixel_size": np.array(camera.pixel_size),
            "pixel_size_attrs": {"units": "m"},
            "detector": shown.stream,
        }

    def _frames(self, shown: Sum) -> str:
        """Return scans and frame numbers as JSON; made anew only when the image has changed."""
        changes = self._store.accumulation.changes
        if self._frames_text[0] != changes:
            frames = {scan: ranges.as_tuple() for scan, ranges in shown.frames.items()}
            self._frames_text = (changes, json.dumps(frames))
        return self._frames_text[1]

    def _scan(self, scan: ScanState | None) -> dict[str, Any]:
        names = list(self._store.settings.roi_map)
        if scan is None:
            return {
                "roi_names": names,
                "roi_newest": np.full(len(names), math.nan),
                "photons": _NO_PHOTONS,
            }
        axis = scan.axis
        curves = axis.means if axis.by_step else axis.frames
        label = axis.movables[0] if axis.by_step else FRAME_NUMBER
        start = scan.start
        tree: dict[str, Any] = {
            "roi_names": names,
            "roi_newest": np.array(scan.newest_means(names), np.float64),
            "roi_sums": scan.totals.sums(names),
            "roi_counts": scan.totals.counts(names),
            "x": self._lazy(curves.x),
            "x_label": label,
            "roi_means": {n: self._lazy(_values(axis.frames, n)) for n in axis.frames.names},
            "step_means": self._steps(axis),
            CURVES: self._lazy(lambda: _curves(axis, names)),
            "scan": {
                "mapping": scan.mapping,
                "number": scan.number if axis.serial is None else axis.serial,
                "title": axis.title,
                "filename": "" if start is None else start.filename,
                "frames": scan.frames,
                "processed": scan.processed,
                "ended": int(scan.ended),
                "ended_workers": sorted(scan.ended_workers),
                "series_ended": int(scan.series_ended),
                "movables": {
                    _path_name(name): np.array(values, np.float64)
                    for name, values in axis.positions.items()
                },
            },
        }
        if scan.photons is not None:
            tree.update(scan.photons.publish())
        else:
            tree["photons"] = _NO_PHOTONS
        return tree

    def _steps(self, axis: ScanAxis) -> dict[str, Any]:
        steps: dict[str, Any] = {}
        for name in axis.means.names:
            steps[name] = {
                "x": self._lazy(axis.means.x),
                "x_attrs": {"long_name": axis.movables[0]},
                "y": self._lazy(_values(axis.means, name)),
                "y_attrs": {"long_name": f"mean of {name}"},
                "y_errors": self._lazy(_values(axis.errors, name)),
                "n": self._lazy(_counts(axis.counts, name)),
            }
            steps[f"{name}_attrs"] = {"NX_class": "NXdata", "signal": "y", "axes": ["x"]}
        return steps

    def _health(self) -> dict[str, Any]:
        store = self._store
        health = store.health
        alarms = list(self.alarms)
        if store.scan is not None and store.scan.photons is not None:
            alarms += store.scan.photons.alarms()
        tree: dict[str, Any] = {
            "frames": health.frames,
            "failed_frames": health.failed_frames,
            "late_frames": store.accumulation.late,
            "last_error": health.last_error,
            "alarms": alarms,
            "settled": int(self.settled()),
        }
        if health.last_frame_time is not None:
            tree["last_frame_time"] = health.last_frame_time
        return tree


def _scalar(name: str, value: float) -> dict[str, float]:
    """A NaN scalar breaks dranspose's HTTP reader: without a value it is left out."""
    return {name: value} if math.isfinite(value) else {}


def _region(shown: Sum) -> dict[str, NDArray[np.int64]]:
    region = shown.photon_region
    return {} if region is None else {"image_region": np.array(region, np.int64)}


def _path_name(name: str) -> str:
    name = name.replace("/", "_")
    return f"{name}_" if name.endswith("_attrs") else name


def _values(series: RoiSeries, name: str) -> Callable[[], NDArray[np.float64]]:
    return lambda: series.values(name)


def _counts(series: RoiSeries, name: str) -> Callable[[], NDArray[np.int64]]:
    return lambda: np.nan_to_num(series.values(name), nan=0).astype(np.int64)


def _curves(axis: ScanAxis, names: list[str]) -> NDArray[np.uint8]:
    means = axis.means if axis.by_step else axis.frames
    nothing = np.empty((0, len(means)))
    values = [means.values(name) for name in names]
    if axis.by_step:
        errors = [axis.errors.values(name) for name in names]
    else:
        errors = [np.full(len(means), math.nan) for _ in names]
    return pack(
        {
            "names": names,
            "x": means.x(),
            "means": np.array(values) if names else nothing,
            "errors": np.array(errors) if names else nothing,
        }
    )
