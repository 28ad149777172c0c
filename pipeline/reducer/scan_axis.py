"""The axis of a scan: which frames belong to which motor step, and the means of each step."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.sardana import VOID_BEFORE
from pipeline.protocols.snapshot import MAX_CURVE_POINTS
from pipeline.reducer.roi_series import RoiSeries
from pipeline.reducer.step_frames import StepFrames
from pipeline.reducer.step_mean import StepMean, step_mean, with_another

_UNDESCRIBED = 1000
"""So many frames may come before Sardana's description and still find their step."""
_STEP = "step"
"""Column with the step of each frame; NaN: it belongs to none."""


class _FrameMeans(dict[str, float]):
    """ROI means of a frame that knows which one it is."""

    def __init__(self, means: Mapping[str, float], row: int) -> None:
        super().__init__(means)
        self.row = row

    def __reduce__(self) -> tuple[Any, ...]:
        return _FrameMeans, (dict(self), self.row)


class FrameSteps:
    """The number of the step that each frame belongs to; frames are counted as they come."""

    def __init__(self) -> None:
        self._steps = RoiSeries()
        self._come = 0

    def add(self) -> int:
        """Count a frame, which belongs to no step yet; return its number."""
        self._steps.append_row(self._come, (_STEP,), (math.nan,))
        self._come += 1
        return self._come - 1

    def put(self, frame: int, step: int) -> None:
        """Put a frame into a step; one that is kept no longer is forgotten."""
        if self._come - frame <= len(self._steps):
            self._steps.replace_row(frame - self._come, {_STEP: float(step)})

    def void(self, step: int) -> None:
        """Take all frames out of a step."""
        for frame in np.flatnonzero(self._steps.values(_STEP) == step).tolist():
            self._steps.replace_row(frame - len(self._steps), {_STEP: math.nan})

    def values(self) -> NDArray[np.int64]:
        """Return the step of each frame that is kept, ``(frame,)``; -1: none."""
        return np.nan_to_num(self._steps.values(_STEP), nan=-1.0).astype(np.int64)


class ScanAxis:
    """Collects the frames of one camera in order and closes a motor step at each record."""

    def __init__(self) -> None:
        self.frames = RoiSeries()
        """ROI means per frame over the frame number."""
        self.frame_steps = FrameSteps()
        self.closed = 0
        """Steps that are closed."""
        self.means = RoiSeries()
        """Per step over the first movable."""
        self.errors = RoiSeries()
        self.counts = RoiSeries()
        self.movables: tuple[str, ...] = ()
        self.positions: dict[str, deque[float]] = {}
        self.title = ""
        self.serial: int | None = None
        self._described = False
        self._burst = StepFrames()

    def of_another_camera(self) -> "ScanAxis":
        """Return an axis with the same steps, and no frames in them."""
        other = ScanAxis()
        other.movables, other.title, other.serial = self.movables, self.title, self.serial
        other.positions = {name: x.copy() for name, x in self.positions.items()}
        other._described = self._described
        other.closed = self.closed
        other._burst = self._burst.of_another_camera()
        for series in (other.means, other.errors, other.counts):
            series.add_rows(self.means.x())
        return other

    @property
    def by_step(self) -> bool:
        """True when the scan moves something: the curves are per step."""
        return bool(self.movables)

    def describe(self, description: Mapping[str, Any]) -> None:
        """Take in Sardana's description of the scan; each worker sends it, the first counts."""
        if self._described:
            return
        self._described = True
        movables = description.get("ref_moveables")
        self.movables = tuple(map(str, movables)) if isinstance(movables, list | tuple) else ()
        self.positions = {name: deque(maxlen=MAX_CURVE_POINTS) for name in self.movables}
        self.title = str(description.get("title", ""))
        if not self.movables:
            self._burst = StepFrames()
        serial = description.get("serialno")
        self.serial = serial if isinstance(serial, int) else None

    def add_frame(self, frame: int, means: Mapping[str, float], event: int | None = None) -> None:
        """Add the ROI means of the next frame.

        Args:
            frame: its number in the series.
            means: by ROI.
            event: in which it came; None: behind all before it.
        """
        self.frames.append(frame, means)
        row = self.frame_steps.add()
        if self._described and not self.by_step:
            return
        if not self._described and len(self._burst) >= _UNDESCRIBED:
            return
        late_for = self._burst.closed_step(frame, event)
        if late_for is None:
            self._burst.add(frame, _FrameMeans(means, row), event)
        elif -late_for <= len(self.means):
            self.frame_steps.put(row, self.closed + late_for)
            self._add_late(late_for, means)

    def _add_late(self, step: int, means: Mapping[str, float]) -> None:
        """Add a frame to a step that is closed; -1 is the newest."""
        rows = [series.row(step) for series in (self.means, self.errors, self.counts)]
        for name, value in means.items():
            mean, error, count = (row.get(name, math.nan) for row in rows)
            n = 0 if math.isnan(count) else int(count)
            new = with_another(StepMean(mean, error, n), value)
            self.means.replace_row(step, {name: new.mean})
            self.errors.replace_row(step, {name: new.error})
            self.counts.replace_row(step, {name: float(new.n)})

    def add_record(self, record: Mapping[str, Any], event: int | None = None) -> None:
        """Close the burst: the frames that the record names, else those since the previous one.

        Args:
            record: the whole message.
            event: in which it came; None: behind all before it.
        """
        if not self.by_step:
            return
        for name in self.movables:
            self.positions[name].append(_number(record.get(name)))
        x = self.positions[self.movables[0]][-1]
        if record.get(VOID_BEFORE) is True:
            for series in (self.means, self.errors, self.counts):
                series.void_last()
            self.frame_steps.void(self.closed - 1)
        burst = self._burst.take(record, event)
        for frame in burst:
            if isinstance(frame, _FrameMeans):
                self.frame_steps.put(frame.row, self.closed)
        self.closed += 1
        names = dict.fromkeys(name for frame in burst for name in frame)
        steps = {
            name: step_mean(np.array([frame.get(name, math.nan) for frame in burst]))
            for name in names
        }
        self.means.append(x, {name: step.mean for name, step in steps.items()})
        self.errors.append(x, {name: step.error for name, step in steps.items()})
        self.counts.append(x, {name: float(step.n) for name, step in steps.items()})


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value)
