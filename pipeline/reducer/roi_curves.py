"""ROI curves: means per frame, and per motor step."""

import math
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.roi import MAX_ROIS
from pipeline.model.roi_statistics import STATISTICS
from pipeline.protocols.sardana import VOID_BEFORE
from pipeline.protocols.snapshot import MAX_CURVE_POINTS
from pipeline.reducer.step_frames import StepFrames

_UNDESCRIBED = 1000
"""So many frames may come before Sardana's description and still find their step."""


@dataclass(frozen=True)
class StepMean:
    """Statistics of one ROI over the frames of one motor step."""

    mean: float
    error: float
    """Standard error, ``std(ddof=1) / sqrt(n)``; NaN for one frame."""
    n: int


def step_mean(values: NDArray[np.float64]) -> StepMean:
    """Average the frames of one step.

    Args:
        values: ``(frame,)``; NaN: not seen.

    Returns:
        Mean, standard error and number of the values that are not NaN.
    """
    seen = values[~np.isnan(values)]
    if not len(seen):
        return StepMean(math.nan, math.nan, 0)
    error = float(np.std(seen, ddof=1)) / math.sqrt(len(seen)) if len(seen) > 1 else math.nan
    return StepMean(float(np.mean(seen)), error, len(seen))


class _Names:
    """Names of ROIs, at most `MAX_ROIS`: of those that are gone, the newest ones stay."""

    def __init__(self) -> None:
        self._seen: dict[str, None] = {}
        """The one that was there last is last."""

    def update(self, names: Collection[str]) -> list[str]:
        """Note the names that are there now.

        Returns:
            Names that are kept no longer.
        """
        for name in names:
            self._seen.pop(name, None)
            self._seen[name] = None
        dropped = list(self._seen)[: max(0, len(self._seen) - MAX_ROIS)]
        for name in dropped:
            del self._seen[name]
        return dropped


class RoiSeries:
    """ROI means, one row a frame or a step; a ROI that was not there has NaN.

    A ROI that was removed stays, until there are more names than ROIs are possible.
    """

    def __init__(self, keep: int = MAX_CURVE_POINTS) -> None:
        self._keep = keep
        self._names: list[str] = []
        self._kept = _Names()
        self._present: tuple[str, ...] = ()
        self._columns: NDArray[np.intp] | None = np.empty(0, np.intp)
        """Of the ROIs that are present; None: all, in their order."""
        self._x = np.empty(256)
        self._rows = np.empty((256, 0))
        self._length = 0

    def __len__(self) -> int:
        return min(self._length, self._keep)

    @property
    def names(self) -> tuple[str, ...]:
        """The ROIs in it."""
        return tuple(self._names)

    def append(self, x: float, values: Mapping[str, float]) -> None:
        """Add a row."""
        self.append_row(x, tuple(values), list(values.values()))

    def append_row(
        self, x: float, names: tuple[str, ...], values: Sequence[float] | NDArray[np.float64]
    ) -> None:
        """Add a row.

        Args:
            x: its place on the axis.
            names: the ROIs that are there.
            values: ``(len(names),)``.
        """
        if names != self._present:
            self._set_columns(names)
        if self._length == len(self._rows):
            self._make_room()
        self._x[self._length] = x
        row = self._rows[self._length]
        if self._columns is None:
            row[:] = values
        else:
            row[:] = math.nan
            row[self._columns] = values
        self._length += 1

    def _set_columns(self, present: tuple[str, ...]) -> None:
        """Make columns for new ROIs, in place of those that are kept no longer."""
        self._present = present
        dropped = self._kept.update(present)
        stay = [i for i, name in enumerate(self._names) if name not in dropped]
        new = [name for name in present if name not in self._names]
        if dropped or new:
            rows = np.full((len(self._rows), len(stay) + len(new)), math.nan)
            rows[:, : len(stay)] = self._rows[:, stay]
            self._names = [self._names[i] for i in stay] + new
            self._rows = rows
        columns = {name: i for i, name in enumerate(self._names)}
        in_order = list(present) == self._names
        self._columns = None if in_order else np.array([columns[n] for n in present], np.intp)

    def add_rows(self, xs: Iterable[float]) -> None:
        """Add rows in which no ROI was seen."""
        for x in xs:
            self.append(x, dict.fromkeys(self._present, math.nan))

    def row(self, index: int) -> dict[str, float]:
        """Return a row by name; -1 is the newest."""
        return dict(zip(self._names, self._rows[self._length + index].tolist(), strict=True))

    def replace_row(self, index: int, values: Mapping[str, float]) -> None:
        """Replace what a row says of some ROIs; -1 is the newest."""
        row = self.row(index) | dict(values)
        for name in row.keys() - set(self._names):
            self._set_columns((*self._present, name))
        self._rows[self._length + index] = [row.get(name, math.nan) for name in self._names]

    def void_last(self) -> None:
        """Forget the values of the newest row."""
        if self._length:
            self._rows[self._length - 1] = math.nan

    def _make_room(self) -> None:
        kept = len(self)
        size = max(256, 2 * kept)
        rows = np.full((size, len(self._names)), math.nan)
        x = np.full(size, math.nan)
        rows[:kept] = self._rows[self._length - kept : self._length]
        x[:kept] = self._x[self._length - kept : self._length]
        self._rows, self._x, self._length = rows, x, kept

    def x(self, newest: int | None = None) -> NDArray[np.float64]:
        """Return the axis, ``(row,)``; of the newest rows only, or of all."""
        return self._x[self._first(newest) : self._length].copy()

    def values(self, name: str, newest: int | None = None) -> NDArray[np.float64]:
        """Return one ROI, ``(row,)``, all NaN when it is not in it; rows as in `x`."""
        first = self._first(newest)
        if name not in self._names:
            return np.full(self._length - first, math.nan)
        return self._rows[first : self._length, self._names.index(name)].copy()

    def _first(self, newest: int | None) -> int:
        return self._length - min(len(self), self._length if newest is None else newest)


def with_another(step: StepMean, value: float) -> StepMean:
    """Return the statistics of a step that has one frame more.

    Args:
        step: of the frames so far.
        value: of the frame; NaN: not seen.

    Source:
        Welford, Technometrics 4 (1962) 419: mean and sum of squares, one value after the other.
    """
    if math.isnan(value):
        return step
    if not step.n:
        return StepMean(value, math.nan, 1)
    n = step.n + 1
    squares = step.error**2 * step.n * (step.n - 1) if step.n > 1 else 0.0
    mean = step.mean + (value - step.mean) / n
    squares += (value - step.mean) * (value - mean)
    return StepMean(mean, math.sqrt(squares / (n - 1) / n), n)


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
        self._steps.append(self._come, {"step": math.nan})
        self._come += 1
        return self._come - 1

    def put(self, frame: int, step: int) -> None:
        """Put a frame into a step; one that is kept no longer is forgotten."""
        if self._come - frame <= len(self._steps):
            self._steps.replace_row(frame - self._come, {"step": float(step)})

    def void(self, step: int) -> None:
        """Take all frames out of a step."""
        for frame in np.flatnonzero(self._steps.values("step") == step).tolist():
            self._steps.replace_row(frame - len(self._steps), {"step": math.nan})

    def values(self) -> NDArray[np.int64]:
        """Return the step of each frame that is kept, ``(frame,)``; -1: none."""
        return np.nan_to_num(self._steps.values("step"), nan=-1.0).astype(np.int64)


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


class RoiTotals:
    """Sums of the statistics of a scan's frames, and how many were seen; NaN is not counted."""

    def __init__(self) -> None:
        self._kept = _Names()
        self._present: tuple[str, ...] = ()
        self._rows: dict[str, int] = {}
        self._present_rows = np.empty(0, np.intp)
        self._sums = np.zeros((0, len(STATISTICS)))
        self._counts = np.zeros((0, len(STATISTICS)))

    def add(self, names: tuple[str, ...], table: NDArray[np.float64]) -> None:
        """Add one frame.

        Args:
            names: its ROIs.
            table: ``(roi, statistic)`` in the order of `STATISTICS`.
        """
        if names != self._present:
            self._set_rows(names)
        seen = ~np.isnan(table)
        self._sums[self._present_rows] += np.where(seen, table, 0.0)
        self._counts[self._present_rows] += seen

    def _set_rows(self, names: tuple[str, ...]) -> None:
        self._present = names
        dropped = self._kept.update(names)
        stay = [name for name in self._rows if name not in dropped]
        new = [name for name in names if name not in self._rows]
        nothing = np.zeros((len(new), len(STATISTICS)))
        old = [self._rows[name] for name in stay]
        self._sums = np.concatenate([self._sums[old], nothing])
        self._counts = np.concatenate([self._counts[old], nothing])
        self._rows = {name: row for row, name in enumerate([*stay, *new])}
        self._present_rows = np.array([self._rows[name] for name in names], np.intp)

    def sums(self, name: str) -> NDArray[np.float64]:
        """Return the sums of a ROI, ``(statistic,)``; 0 for one never seen."""
        return self._of(name, self._sums)

    def counts(self, name: str) -> NDArray[np.float64]:
        """Return how many frames are in each sum, ``(statistic,)``."""
        return self._of(name, self._counts)

    def _of(self, name: str, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        row = self._rows.get(name)
        return np.zeros(len(STATISTICS)) if row is None else totals[row].copy()
