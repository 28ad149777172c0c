"""The tree that the reducer publishes: plain numbers, texts and arrays, with NeXus attributes."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.cameras import ranked
from pipeline.model.roi_statistics import STATISTICS
from pipeline.protocols import snapshot
from pipeline.protocols.published_paths import CURVES, SNAPSHOT
from pipeline.protocols.tree import as_tree, pack_group, pack_groups
from pipeline.reducer.columns import Columns
from pipeline.reducer.image_views import ImageViews
from pipeline.reducer.lazy_arrays import LazyArray, LazyMapping, LiveArray
from pipeline.reducer.live_integration import PublishedCurve
from pipeline.reducer.scan import ScanState
from pipeline.reducer.scan_curves import ScanCurves
from pipeline.reducer.state import ReducerState

FRAME_NUMBER = "frame number"
"""Label of the axis where nothing moves."""
_NO_PHOTONS = snapshot.Photons(
    reason="No photon detection in this scan: set PhotonRoi and use the Balor."
)


class Publisher:
    """Builds the tree from the reducer's state, when it is read and something has changed."""

    def __init__(
        self,
        state: ReducerState,
        curve_up_to_date: Callable[[], bool],
        dark: Callable[[], snapshot.Dark] = snapshot.Dark,
    ) -> None:
        """Keep the parts.

        Args:
            state: what is published.
            curve_up_to_date: says whether the azimuthal curve is that of the shown image; called
                under the lock.
            dark: says what came of the dark level that was requested last.
        """
        self._state = state
        self._dark = dark
        self._curve_up_to_date = curve_up_to_date
        self._tree: dict[str, Any] = {}
        self._revision = -1
        self._images = ImageViews(state.lock)
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
                curves = self._curves()
                values = self._published(curves)
                packed = self._lazy(lambda: pack_group(values))
                live = replace(
                    values,
                    snapshot=packed,
                    snapshot_with_curves=self._lazy(lambda: _pack_all(values, curves)),
                    frame_safety=self._safety,
                )
                self._tree = as_tree(live)
                self._revision = state.revision
            return self._tree

    def published(self) -> snapshot.Published:
        """Return everything that is published, but for what holds it packed."""
        with self._state.lock:
            return self._published(self._curves())

    def _published(self, curves: ScanCurves | None) -> snapshot.Published:
        images = self._camera_images()
        shown = images.get(self._state.shown_camera(), snapshot.CameraImage())
        values = snapshot.Published(
            revision=self._state.revision,
            shown=shown,
            crop=_crop(shown),
            cameras=self._cameras(images),
            sum_number=self._state.accumulation.accumulation_id,
            roi_names=tuple(self._state.settings.roi_map),
            azimuthal=self._curve.azimuthal,
            geometry=self._curve.geometry,
            dark=self._dark(),
            health=self._health(),
        )
        return self._with_scan(values, self._state.scan, curves)

    def _lazy(self, make: Callable[[], NDArray[Any]]) -> LazyArray:
        return LazyArray(make, self._state.lock)

    def _camera_images(self) -> dict[str, snapshot.CameraImage]:
        """Return what is published of each camera's image."""
        sums, scan = self._state.accumulation, self._state.scan
        streams = ranked(sums.streams)
        # A ROI without a camera is of the first camera of the scan.
        first = next(iter((() if scan is None else scan.streams) or streams), "")
        rois = self._state.settings.roi_map.items()
        return {
            stream: self._images.values(
                sums.of(stream), {n: roi for n, roi in rois if (roi.camera or first) == stream}
            )
            for stream in streams
        }

    def _cameras(
        self, images: Mapping[str, snapshot.CameraImage]
    ) -> dict[str, snapshot.ScanCamera] | None:
        """Return the cameras that have an image, or are in the scan; None: there are none."""
        scan = self._state.scan
        scanned = {} if scan is None else {camera.stream: camera for camera in scan.cameras}
        cameras: dict[str, snapshot.ScanCamera] = {}
        for stream in ranked([*images, *scanned]):
            camera = scanned.get(stream)
            of_scan: dict[str, Any] = {}
            if camera is not None:
                of_scan = {
                    "scan_frames": camera.frames,
                    "scan_processed": camera.processed,
                    "scan_filename": "" if camera.start is None else camera.start.filename,
                    "scan_ended": int(camera.ended),
                }
            cameras[stream] = snapshot.ScanCamera(
                **vars(images.get(stream, snapshot.CameraImage())), **of_scan
            )
        return cameras or None

    def _curves(self) -> ScanCurves | None:
        scan, settings = self._state.scan, self._state.settings
        if scan is None:
            return None
        return ScanCurves(scan, settings.roi_map, settings.x_source, settings.shown_statistic)

    def _with_scan(
        self, values: snapshot.Published, scan: ScanState | None, curves: ScanCurves | None
    ) -> snapshot.Published:
        names = values.roi_names
        if scan is None or curves is None:
            newest = np.full(len(names), math.nan)
            return replace(values, roi_newest=newest, photons=_NO_PHOTONS)
        if scan.photons is not None and scan.photons.searched:
            photons, histogram = scan.photons.publish()
            values = replace(
                values,
                photons=photons,
                energy_histogram=histogram,
                max_e=self._lazy(scan.photons.largest_energies),
            )
        else:
            values = replace(values, photons=_NO_PHOTONS)
        sums, weights = curves.totals()
        return replace(
            values,
            roi_newest=curves.newest(),
            roi_newest_statistics=curves.newest_statistics(),
            roi_sums=curves.sums(),
            roi_counts=curves.counts(),
            roi_totals=sums,
            roi_weights=weights,
            x=self._lazy(curves.x),
            x_label=curves.x_label or FRAME_NUMBER,
            roi_means=LazyMapping(
                curves.frame_names, lambda name: self._lazy(lambda: curves.frames(name))
            ),
            step_means=LazyMapping(curves.step_names, lambda name: self._steps(curves, name)),
            roi_stats=LazyMapping(curves.frame_names, lambda name: self._statistics(curves, name)),
            curves=self._lazy(lambda: pack_group(curves.packed())),
            scan=self._scan(scan),
        )

    def _scan(self, scan: ScanState) -> snapshot.Scan:
        columns = scan.columns
        arrays = {n: self._lazy(_column(columns, n)) for n in columns.names}
        return replace(_scan(scan), columns=arrays, column_names=columns.known)

    def _steps(self, curves: ScanCurves, name: str) -> snapshot.StepMeans:
        return snapshot.StepMeans(
            x=self._lazy(curves.x),
            y=self._lazy(lambda: curves.steps(name, lambda axis: axis.means)),
            y_errors=self._lazy(lambda: curves.steps(name, lambda axis: axis.errors)),
            n=self._lazy(lambda: _whole(curves.steps(name, lambda axis: axis.counts))),
            x_label=curves.x_label or FRAME_NUMBER,
            y_label=f"mean of {name}",
        )

    def _statistics(self, curves: ScanCurves, name: str) -> snapshot.RoiStatistics:
        return snapshot.RoiStatistics(
            **{one: self._statistic(curves, name, one) for one in STATISTICS}
        )

    def _statistic(self, curves: ScanCurves, name: str, statistic: str) -> snapshot.RoiStatistic:
        frames = self._lazy(lambda: curves.frames_of(name, statistic))
        if not curves.by_step:
            return snapshot.RoiStatistic(frames=frames)
        return snapshot.RoiStatistic(
            frames=frames,
            x=self._lazy(curves.x),
            y=self._lazy(lambda: curves.steps_of(name, statistic).value),
            y_errors=self._lazy(lambda: curves.steps_of(name, statistic).error),
            n=self._lazy(lambda: curves.steps_of(name, statistic).n),
            left_out=self._lazy(lambda: curves.steps_of(name, statistic).left_out),
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
            late_frames=state.accumulation.late + state.health.late_messages,
            last_error=state.health.last_error,
            alarms=tuple(alarms),
            settled=int(state.files_closed and self._curve_up_to_date()),
            last_frame_time=math.nan if newest is None else newest,
        )


def _pack_all(values: snapshot.Published, curves: ScanCurves | None) -> NDArray[np.uint8]:
    if curves is None:
        return pack_groups({SNAPSHOT: values})
    return pack_groups({SNAPSHOT: values, CURVES: curves.packed()})


def _crop(shown: snapshot.CameraImage) -> snapshot.Crop:
    rows, columns = (0, 0) if shown.image_shape is None else shown.image_shape.tolist()
    return snapshot.Crop(bottom=rows, right=columns)


def _scan(scan: ScanState) -> snapshot.Scan:
    axis = scan.axis
    return snapshot.Scan(
        mapping=scan.mapping,
        number=scan.published_number,
        title=axis.title,
        cameras=scan.streams,
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


def _column(columns: Columns, name: str) -> Callable[[], NDArray[np.float64]]:
    return lambda: columns.values(name)


def _whole(counts: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.nan_to_num(counts, nan=0).astype(np.int64)
