"""The ROI curves of a scan as they are published: each ROI's are of the camera whose ROI it is."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.roi_ratio import StepValues
from pipeline.model.roi import Roi
from pipeline.model.roi_statistics import COMPARED, STATISTICS
from pipeline.protocols.packed_datasets import RoiCurves
from pipeline.reducer.camera_scan import CameraScan
from pipeline.reducer.roi_readings import RoiReadings
from pipeline.reducer.roi_series import RoiSeries
from pipeline.reducer.scan import ScanState
from pipeline.reducer.scan_axis import ScanAxis


class ScanCurves:
    """Reads the curves of one moment.

    Args:
        scan: whose they are.
        rois: those of now, by name; of a ROI that was removed the curve stays.
        x_source: column that is the axis; empty, or none of this scan: the first movable.
        statistic: the one that is shown.
    """

    def __init__(
        self,
        scan: ScanState,
        rois: Mapping[str, Roi],
        x_source: str = "",
        statistic: str = STATISTICS[0],
    ) -> None:
        self._scan = scan
        self._rois = rois
        self._x_source = x_source
        self._statistic = statistic
        self._readings = RoiReadings(rois, self._owner, self._record_column)
        self.names = tuple(rois)

    @property
    def by_step(self) -> bool:
        """True when the scan moves something: the curves are per step."""
        return self._scan.axis.by_step

    @property
    def frame_names(self) -> tuple[str, ...]:
        """The ROIs that have a curve per frame."""
        return self._names(lambda axis: axis.frames)

    @property
    def step_names(self) -> tuple[str, ...]:
        """The ROIs that have a curve per step."""
        return self._names(lambda axis: axis.means)

    def newest(self) -> NDArray[np.float64]:
        """Return the newest frames' values of the shown statistic, ``(roi,)``."""
        return np.array([self._newest(name, self._statistic) for name in self.names])

    def newest_statistics(self) -> NDArray[np.float64]:
        """Return the newest frames' statistics, ``(roi, statistic)``."""
        rows = [[self._newest(name, one) for one in STATISTICS] for name in self.names]
        return np.array(rows, np.float64).reshape(len(rows), len(STATISTICS))

    def _newest(self, name: str, statistic: str) -> float:
        camera = self._owner(name)
        if camera is None:
            return math.nan
        if self._readings.is_compared(name, statistic):
            values = self._readings.frames(name, statistic, newest=1)
            return float(values[-1]) if len(values) else math.nan
        return camera.newest(name, statistic)

    def _record_column(self, name: str) -> NDArray[np.float64]:
        """Return a number of the records per step; empty when there is none of that name."""
        column = self._scan.columns.find(name)
        return np.empty(0) if column is None else self._of_steps(column)

    def sums(self) -> NDArray[np.float64]:
        """Return the sums of the means of all frames, ``(roi,)``."""
        owners = [(self._owner(name), name) for name in self.names]
        return np.array([0.0 if c is None else c.totals.sums(n)[0] for c, n in owners], float)

    def counts(self) -> NDArray[np.int64]:
        """Return how many frames are in each sum, ``(roi,)``."""
        owners = [(self._owner(name), name) for name in self.names]
        return np.array([0 if c is None else c.totals.counts(n)[0] for c, n in owners], np.int64)

    def totals(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what divides to the means over the scan's frames, ``(2, roi, statistic)``.

        Returns:
            Sums of the values, minus applied, and of their weights: the frames, with over the
            denominators. Differences of both give the mean over the frames in between.
        """
        shape = (len(self.names), len(STATISTICS))
        sums, weights = np.zeros(shape), np.zeros(shape)
        self._scan.compared.keep_only(frozenset(self.names))
        for row, name in enumerate(self.names):
            camera = self._owner(name)
            if camera is None:
                continue
            sums[row], weights[row] = camera.totals.sums(name), camera.totals.counts(name)
            for statistic in COMPARED:
                if self._readings.is_compared(name, statistic):
                    total = self._scan.compared.follow(self._readings, name, statistic)
                    column = STATISTICS.index(statistic)
                    sums[row, column], weights[row, column] = total.numerator, total.denominator
        return sums, weights

    def x(self) -> NDArray[np.float64]:
        """Return the axis of all curves, ``(point,)``."""
        if not self.by_step:
            return self._frame_axis
        column = self._column
        return self._scan.axis.means.x() if column is None else self._of_steps(column)

    @property
    def x_label(self) -> str | None:
        """What the axis is called; None: it holds frame numbers."""
        if not self.by_step:
            return None
        return self._scan.axis.movables[0] if self._column is None else self._x_source

    def map_axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the positions of the first two movables, ``(step,)``; empty without two."""
        movables = self._scan.axis.movables
        if len(movables) < 2:
            return np.empty(0), np.empty(0)
        return self._of_steps(movables[0]), self._of_steps(movables[1])

    @property
    def _column(self) -> str | None:
        return self._scan.columns.find(self._x_source) if self._x_source else None

    def _of_steps(self, column: str) -> NDArray[np.float64]:
        """Return a column at each step; a record from before the description closed none."""
        values, steps = self._scan.columns.values(column), len(self._scan.axis.means)
        return values[len(values) - steps :]

    def frames(self, name: str) -> NDArray[np.float64]:
        """Return a ROI's means per frame, ``(frame,)``; NaN where its camera brought none."""
        camera = self._owner(name)
        if camera is None:
            return np.full(len(self._frame_axis), math.nan)
        series = camera.axis.frames
        return place(series.x(), series.values(name), self._frame_axis)

    def steps(self, name: str, kind: Callable[[ScanAxis], RoiSeries]) -> NDArray[np.float64]:
        """Return a ROI's means, errors or counts per step, ``(step,)``."""
        camera = self._owner(name)
        return kind(self._scan.axis if camera is None else camera.axis).values(name)

    def frames_of(self, name: str, statistic: str) -> NDArray[np.float64]:
        """Return one statistic of a ROI per frame, minus and over applied, ``(frame,)``."""
        camera = self._owner(name)
        if camera is None:
            return np.full(len(self._frame_axis), math.nan)
        values = self._readings.frames(name, statistic)
        return place(camera.axis.frames.x(), values, self._frame_axis)

    def steps_of(self, name: str, statistic: str) -> StepValues:
        """Return one statistic of a ROI per step, minus and over applied."""
        return self._readings.steps(name, statistic)

    def _shown_steps(self, name: str) -> tuple[NDArray[np.float64], ...]:
        """Return values, errors and counts of the shown statistic per step."""
        if self._statistic == STATISTICS[0] and not self._readings.is_compared(
            name, self._statistic
        ):
            return (
                self.steps(name, lambda axis: axis.means),
                self.steps(name, lambda axis: axis.errors),
                self.steps(name, lambda axis: axis.counts),
            )
        if self._owner(name) is None:
            nothing = np.full(len(self.x()), math.nan)
            return nothing, nothing, nothing
        found = self.steps_of(name, self._statistic)
        return found.value, found.error, found.n.astype(np.float64)

    def packed(self) -> RoiCurves:
        """Return all curves of one moment."""
        x = self.x()
        counts = None
        if self.by_step:
            shown = [self._shown_steps(name) for name in self.names]
            means, errors = [row[0] for row in shown], [row[1] for row in shown]
            counts = np.array([row[2] for row in shown]).reshape(len(shown), len(x))
        else:
            means = [self.frames_of(name, self._statistic) for name in self.names]
            errors = [np.full(len(x), math.nan) for _ in self.names]
        nothing = np.empty((0, len(x)))
        map_x, map_y = self.map_axes()
        return RoiCurves(
            names=self.names,
            x=x,
            means=np.array(means) if self.names else nothing,
            errors=np.array(errors) if self.names else nothing,
            map_x=map_x,
            map_y=map_y,
            counts=counts,
        )

    def _owner(self, name: str) -> CameraScan | None:
        """Return the camera whose ROI it is; None: it is not in the scan."""
        roi = self._rois.get(name)
        if roi is not None and roi.camera:
            return self._scan.camera(roi.camera)
        cameras = self._scan.cameras
        if roi is None:
            return next((one for one in cameras if name in one.axis.frames.names), None)
        return next(iter(cameras), None)

    def _names(self, kind: Callable[[ScanAxis], RoiSeries]) -> tuple[str, ...]:
        names = dict.fromkeys(n for one in self._scan.cameras for n in kind(one.axis).names)
        owned = ((self._owner(name), name) for name in names)
        return tuple(n for c, n in owned if c is not None and n in kind(c.axis).names)

    @cached_property
    def _frame_axis(self) -> NDArray[np.float64]:
        owners = {id(c): c for c in map(self._owner, self.frame_names) if c is not None}
        cameras = list(owners.values()) or list(self._scan.cameras[:1])
        return common_axis([camera.axis.frames.x() for camera in cameras])


def common_axis(axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the frame numbers on which the curves of several cameras stand.

    Args:
        axes: frame numbers of each camera, ``(frame,)``. Frames of one shot have the same number.

    Returns:
        All numbers that one of them has; where a camera counts anew within a scan, the longest
        axis.
    """
    if not axes:
        return np.empty(0)
    if len(axes) == 1 or not all(map(_ascends, axes)):
        return max(axes, key=len)
    return np.unique(np.concatenate(axes))


def place(
    x: NDArray[np.float64], values: NDArray[np.float64], axis: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Place a camera's values on the common axis; NaN where it has none.

    Args:
        x: its frame numbers, ``(frame,)``.
        values: ``(frame,)``.
        axis: `common_axis` of it and others, ``(point,)``.
    """
    if len(x) == len(axis):
        return values
    placed = np.full(len(axis), math.nan)
    if _ascends(x) and _ascends(axis):
        placed[np.searchsorted(axis, x)] = values
    else:
        placed[: len(values)] = values
    return placed


def _ascends(x: NDArray[np.float64]) -> bool:
    return bool(np.all(np.diff(x) > 0))
