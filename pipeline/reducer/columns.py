"""The columns of a scan: the numbers in its records, as movables and counters."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.roi import MAX_ROIS
from pipeline.protocols.tree import path_name
from pipeline.reducer.roi_series import RoiSeries

MAX_COLUMNS = MAX_ROIS
"""Columns that are kept at most; movables always are."""


class Columns:
    """Keeps the numbers of each record, one row a record; what is missing is NaN."""

    def __init__(self) -> None:
        self._rows = RoiSeries()
        self._labels: dict[str, str] = {}
        """Name by what else a column is called: its label, and its name as a path has it."""
        self._announced: dict[str, None] = {}
        """Columns of which Sardana's description tells."""

    def describe(self, description: Mapping[str, Any]) -> None:
        """Take in Sardana's description of the columns; one that makes no sense tells nothing."""
        columns = description.get("column_desc")
        for column in columns if isinstance(columns, list) else ():
            name = column.get("name") if isinstance(column, dict) else None
            if isinstance(name, str) and len(self._announced) < MAX_COLUMNS:
                self._announced[name] = None
                self._labels.setdefault(path_name(name), name)
                self._labels.setdefault(str(column.get("label", name)), name)

    def add_record(self, record: Mapping[str, Any], movables: tuple[str, ...]) -> None:
        """Add the numbers of one record."""
        values = dict.fromkeys(movables, math.nan)
        for name, value in record.items():
            number = _number(value)
            if number is None:
                continue
            if name in values or len(values) < MAX_COLUMNS:
                values[name] = number
                self._labels.setdefault(path_name(name), name)
        self._rows.append(len(self._rows), values)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that have come, by the names that the records have."""
        return self._rows.names

    @property
    def known(self) -> tuple[str, ...]:
        """These, and those that are announced."""
        return tuple(dict.fromkeys((*self._announced, *self.names)))

    def values(self, name: str) -> NDArray[np.float64]:
        """Return one column, ``(record,)``; all NaN when it has not come."""
        return self._rows.values(name)

    def find(self, text: str) -> str | None:
        """Return the column of that name or label; None: there is none."""
        known = self.known
        if text in known:
            return text
        name = self._labels.get(text)
        return name if name in known else None


def _number(value: Any) -> float | None:
    """Return a number as float; NaN for null, which is how a record writes NaN; else None."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
