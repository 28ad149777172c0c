"""The tree that the reducer publishes: plain numbers, texts and arrays, with NeXus attributes."""

import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.binning import BinnedImage, full_image, make_preview
from pipeline.model.cameras import CAMERAS
from pipeline.model.ledger import ledger
from pipeline.protocols import snapshot
from pipeline.protocols.tree import as_tree, pack_group
from pipeline.reducer.accumulation import Sum
from pipeline.reducer.live_integration import PublishedCurve
from pipeline.reducer.roi_curves import RoiSeries, ScanAxis
from pipeline.reducer.scan import ScanState
from pipeline.reducer.state import ReducerState

FRAME_NUMBER = "frame number"
"""Label of the axis where nothing moves."""
_NO_PHOTONS = snapshot.Photons(
    reason="No photon detection in this scan: set PhotonRoi and use the Balor."
)


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


class LiveArray:
    """An array that is made anew whenever somebody reads it."""

    def __init__(self, make: Callable[[], NDArray[Any]]) -> None:
        self._make = make

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self._make(), dtype=dtype, copy=copy)


class Publisher:
    """Builds the tree from the reducer's state, when it is read and something has changed."""

    def __init__(self, state: ReducerState, curve_up_to_date: Callable[[], bool]) -> None:
        """Keep the parts.

        Args:
            state: what is published.
            curve_up_to_date: says whether the azimuthal curve is that of the shown image; called
                under the lock.
        """
        self._state = state
        self._curve_up_to_date = curve_up_to_date
        self._tree: dict[str, Any] = {}
        self._revision = -1
        self._preview: tuple[int, BinnedImage] | None = None
        self._frames_text: tuple[int, str] = (-1, "{}")
        self._ledger_text: tuple[int, str] = (-1, "")
        self._curve = PublishedCurve()
        self._alarms: list[str] = []
        # It changes as time goes by, without a revision.
        self._safety = LiveArray(lambda: pack_group(state.frame_safety(time.monotonic())))

    def show_curve(self, curve: PublishedCurve) -> None:
        """Publish a new azimuthal curve with its geometry."""
        with self._state.lock:
            self._curve = curve
            self._state.mark_changed()

    def show_alarms(self, alarms: list[str]) -> None:
        """Publish what could not be saved."""
        with self._state.lock:
            if alarms != self._alarms:
                self._alarms = alarms
                self._state.mark_changed()

    def tree(self) -> dict[str, Any]:
        """Return the tree; it is never changed afterwards."""
        state = self._state
        with state.lock:
            if self._revision != state.revision:
                values = self.published()
                packed = self._lazy(lambda: pack_group(values))
                live = replace(values, snapshot=packed, frame_safety=self._safety)
                self._tree = as_tree(live)
                self._revision = state.revision
            return self._tree

    def published(self) -> snapshot.Published:
        """Return everything that is published, but for the packed snapshot of it."""
        with self._state.lock:
            shown = self._state.accumulation.shown
            values = snapshot.Published(
                revision=self._state.revision,
                shown=snapshot.CameraImage() if shown is None else self._image(shown),
                sum_number=self._state.accumulation.accumulation_id,
                roi_names=tuple(self._state.settings.roi_map),
                azimuthal=self._curve.azimuthal,
                geometry=self._curve.geometry,
                health=self._health(),
            )
            return self._with_scan(values, self._state.scan)

    def _lazy(self, make: Callable[[], NDArray[Any]]) -> LazyArray:
        return LazyArray(make, self._state.lock)

    def _image(self, shown: Sum) -> snapshot.CameraImage:
        changes = self._state.accumulation.changes
        if self._preview is None or self._preview[0] != changes:
            self._preview = (changes, make_preview(shown.image, shown.valid))
        preview = self._preview[1]
        image = self._lazy(lambda: full_image(shown.image, shown.valid, preview.hottest))
        region = shown.photon_region
        return snapshot.CameraImage(
            image=image,
            accumulated=snapshot.PlotImage(image=image, unit=shown.unit),
            image_unit=shown.unit,
            image_shape=np.array(shown.shape, np.int64),
            image_sum=preview.total,
            image_max=preview.hottest,
            accumulated_number=shown.count,
            sum_dtype=shown.image.dtype.str,
            sum_frames=self._frames(shown),
            sum_settings=json.dumps(shown.settings.values()),
            ledger=self._ledger(shown),
            image_region=None if region is None else np.array(region, np.int64),
            preview=snapshot.Preview(
                mean=preview.mean, max=preview.max, binning=preview.binning, unit=shown.unit
            ),
            pixel_size=np.array(CAMERAS[shown.stream].pixel_size),
            detector=shown.stream,
        )

    def _frames(self, shown: Sum) -> str:
        """Return scans and frame numbers as JSON; made anew only when the image has changed."""
        changes = self._state.accumulation.changes
        if self._frames_text[0] != changes:
            frames = {scan: ranges.as_tuple() for scan, ranges in shown.frames.items()}
            self._frames_text = (changes, json.dumps(frames))
        return self._frames_text[1]

    def _ledger(self, shown: Sum) -> str:
        changes = self._state.accumulation.changes
        if self._ledger_text[0] != changes:
            text = ledger(
                shown.stream, shown.unit, shown.count, shown.frames.items(), shown.settings
            )
            self._ledger_text = (changes, text)
        return self._ledger_text[1]

    def _with_scan(self, values: snapshot.Published, scan: ScanState | None) -> snapshot.Published:
        names = values.roi_names
        if scan is None:
            newest = np.full(len(names), math.nan)
            return replace(values, roi_newest=newest, photons=_NO_PHOTONS)
        if scan.photons is not None and scan.photons.searched:
            photons, histogram = scan.photons.publish()
            values = replace(values, photons=photons, energy_histogram=histogram)
        else:
            values = replace(values, photons=_NO_PHOTONS)
        axis = scan.axis
        curves = axis.means if axis.by_step else axis.frames
        return replace(
            values,
            roi_newest=np.array(scan.newest_means(names), np.float64),
            roi_sums=scan.totals.sums(names),
            roi_counts=scan.totals.counts(names),
            x=self._lazy(curves.x),
            x_label=axis.movables[0] if axis.by_step else FRAME_NUMBER,
            roi_means={n: self._lazy(_values(axis.frames, n)) for n in axis.frames.names},
            step_means={n: self._steps(axis, n) for n in axis.means.names},
            curves=self._lazy(lambda: _curves(axis, names)),
            scan=_scan(scan),
        )

    def _steps(self, axis: ScanAxis, name: str) -> snapshot.StepMeans:
        return snapshot.StepMeans(
            x=self._lazy(axis.means.x),
            y=self._lazy(_values(axis.means, name)),
            y_errors=self._lazy(_values(axis.errors, name)),
            n=self._lazy(_counts(axis.counts, name)),
            x_label=axis.movables[0],
            y_label=f"mean of {name}",
        )

    def _health(self) -> snapshot.Health:
        state = self._state
        alarms = list(self._alarms)
        if state.scan is not None and state.scan.photons is not None:
            alarms += state.scan.photons.alarms()
        newest = state.health.last_frame_time
        return snapshot.Health(
            frames=state.health.frames,
            failed_frames=state.health.failed_frames,
            discarded_frames=state.health.discarded_frames,
            late_frames=state.accumulation.late,
            last_error=state.health.last_error,
            alarms=tuple(alarms),
            settled=int(state.files_closed and self._curve_up_to_date()),
            last_frame_time=math.nan if newest is None else newest,
        )


def _scan(scan: ScanState) -> snapshot.Scan:
    axis = scan.axis
    return snapshot.Scan(
        mapping=scan.mapping,
        number=scan.published_number,
        title=axis.title,
        filename="" if scan.start is None else scan.start.filename,
        frames=scan.frames,
        processed=scan.processed,
        ended=int(scan.ended),
        ended_workers=tuple(sorted(scan.ended_workers)),
        series_ended=int(scan.series_ended),
        movables={
            name: np.array(positions, np.float64) for name, positions in axis.positions.items()
        },
    )


def _values(series: RoiSeries, name: str) -> Callable[[], NDArray[np.float64]]:
    return lambda: series.values(name)


def _counts(series: RoiSeries, name: str) -> Callable[[], NDArray[np.int64]]:
    return lambda: np.nan_to_num(series.values(name), nan=0).astype(np.int64)


def _curves(axis: ScanAxis, names: tuple[str, ...]) -> NDArray[np.uint8]:
    means = axis.means if axis.by_step else axis.frames
    nothing = np.empty((0, len(means)))
    values = [means.values(name) for name in names]
    if axis.by_step:
        errors = [axis.errors.values(name) for name in names]
    else:
        errors = [np.full(len(means), math.nan) for _ in names]
    return pack_group(
        snapshot.RoiCurves(
            names=names,
            x=means.x(),
            means=np.array(values) if names else nothing,
            errors=np.array(errors) if names else nothing,
        )
    )
