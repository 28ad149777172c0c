"""One statistic of one ROI over a scan: per frame and per step, minus and over applied."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.roi_ratio import StepValues, shot_ratios, step_ratios, subtract_sum
from pipeline.model.roi import COLUMN, Roi
from pipeline.model.roi_statistics import COMPARED
from pipeline.reducer.camera_scan import CameraScan

Floats = NDArray[np.float64]
_APART = 1000
"""Frames of one shot are at most so many apart in the order in which cameras bring them."""


@dataclass(frozen=True)
class RoiReadings:
    """Reads the statistics of the ROIs of one moment.

    Args:
        rois: by name.
        owner: returns the camera whose ROI it is; None: it is not in the scan.
        column: returns a number of the records per step, ``(step,)``; NaN: not there.
    """

    rois: Mapping[str, Roi]
    owner: Callable[[str], CameraScan | None]
    column: Callable[[str], Floats]

    def is_compared(self, name: str, statistic: str) -> bool:
        """Say whether minus or over of the ROI change this statistic."""
        roi = self.rois.get(name)
        return roi is not None and bool(roi.minus or roi.over) and statistic in COMPARED

    def frames(self, name: str, statistic: str, newest: int | None = None) -> Floats:
        """Return the values per frame of the ROI's own camera, ``(frame,)``.

        Args:
            name: of the ROI.
            statistic: which.
            newest: only of so many frames.
        """
        numerator, denominator = self.shots(name, statistic, newest)
        return numerator if denominator is None else shot_ratios(numerator, denominator)

    def steps(self, name: str, statistic: str) -> StepValues:
        """Return value, error and number of shots per step."""
        camera = self.owner(name)
        if camera is None:
            nothing = np.empty(0)
            return StepValues(nothing, nothing, np.empty(0, np.int64), np.empty(0, np.int64))
        numerator, denominator = self.shots(name, statistic)
        return step_ratios(numerator, denominator, self._step(camera), len(camera.axis.means))

    def shots(
        self, name: str, statistic: str, newest: int | None = None
    ) -> tuple[Floats, Floats | None]:
        """Return numerator and denominator per frame of the ROI's camera; arguments as `frames`."""
        camera = self.owner(name)
        if camera is None:
            return np.empty(0), None
        values = _values(camera, name, statistic, newest)
        if not self.is_compared(name, statistic):
            return values, None
        roi = self.rois[name]
        if roi.minus:
            background = self._beside(camera, roi.minus, "mean", newest)
            if statistic == "sum":
                pixels = _values(camera, name, "pixels", newest)
                values = subtract_sum(values, pixels, background)
            else:
                values = values - background
        if not roi.over:
            return values, None
        if not roi.over.startswith(COLUMN):
            return values, self._beside(camera, roi.over, "sum", newest)
        column = self.column(roi.over.removeprefix(COLUMN))
        step = self._step(camera)[-len(values) :] if len(values) else np.empty(0, np.int64)
        known = (step >= 0) & (step < len(column))
        over = np.full(len(step), math.nan)
        over[known] = column[step[known]]
        return values, over

    def _step(self, camera: CameraScan) -> NDArray[np.int64]:
        """Return the step of each frame, counted from the first that is kept."""
        axis = camera.axis
        step = axis.frame_steps.values()
        return np.where(step < 0, -1, step - (axis.closed - len(axis.means)))

    def _beside(self, camera: CameraScan, name: str, statistic: str, newest: int | None) -> Floats:
        """Return what another ROI saw in the shots of a camera's frames."""
        other = self.owner(name)
        shots = camera.axis.frames.x(newest)
        if other is None:
            return np.full(len(shots), math.nan)
        if other is camera:
            return _values(other, name, statistic, newest)
        more = None if newest is None else newest + _APART
        numbers = other.axis.frames.x(more)
        if more is None or np.all(np.diff(numbers) > 0):
            return match(numbers, _values(other, name, statistic, more), shots)
        # Only from the beginning on it is known which frames belong together.
        return self._beside(camera, name, statistic, None)[len(camera.axis.frames) - len(shots) :]


def _values(camera: CameraScan, name: str, statistic: str, newest: int | None) -> Floats:
    if statistic == "mean":
        return camera.axis.frames.values(name, newest)
    return camera.statistics.values(name, statistic, newest)


def match(numbers: Floats, values: Floats, wanted: Floats) -> Floats:
    """Return the values of some frames of another camera; NaN where it has none.

    Args:
        numbers: ``(frame,)`` of the other camera's frames. Frames of one shot have the same number.
        values: ``(frame,)`` of the other camera.
        wanted: ``(shot,)`` numbers of the frames to which they are placed.
    """
    found = np.full(len(wanted), math.nan)
    if not len(numbers):
        return found
    if np.all(np.diff(numbers) > 0):
        at = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
        there = numbers[at] == wanted
        found[there] = values[at[there]]
    else:
        # A camera counts anew within the scan: the frames stand in the order of the shots.
        n = min(len(values), len(found))
        found[:n] = values[:n]
    return found
