"""ROI means in rows: one a frame, or one a motor step."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.model.roi import MAX_ROIS
from pipeline.protocols.snapshot import MAX_CURVE_POINTS
from pipeline.reducer.roi_names import RoiNames


class RoiSeries:
    """ROI means, one row a frame or a step; a ROI that was not there has NaN.

    A ROI that was removed stays, until there are more names than ROIs are possible.

    Args:
        keep: how many rows.
        limit: how many names.
    """

    def __init__(self, keep: int = MAX_CURVE_POINTS, limit: int = MAX_ROIS) -> None:
        self._keep = keep
        self._names: list[str] = []
        self._kept = RoiNames(limit)
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
