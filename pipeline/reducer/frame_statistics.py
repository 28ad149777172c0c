"""The statistics of a camera's ROIs, frame by frame."""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.model.roi import MAX_ROIS
from pipeline.model.roi_statistics import COLUMNS
from pipeline.protocols.batch import FrameResult
from pipeline.reducer.roi_series import RoiSeries

_KEPT = COLUMNS[1:]
"""The means stand in the scan's axis."""


class FrameStatistics:
    """Keeps everything but the means, which have a series of their own, one row a frame."""

    def __init__(self) -> None:
        self._series = RoiSeries(limit=MAX_ROIS * len(_KEPT))
        self._rois: tuple[str, ...] = ()
        self._names: tuple[str, ...] = ()

    def add(self, frame: FrameResult, table: NDArray[np.float64]) -> None:
        """Add the statistics of the next frame, ``(roi, column)``."""
        if frame.roi_names != self._rois:
            self._rois = frame.roi_names
            self._names = tuple(_name(roi, column) for roi in self._rois for column in _KEPT)
        self._series.append_row(frame.frame, self._names, table[:, 1:].reshape(-1))

    def values(self, name: str, column: str, newest: int | None = None) -> NDArray[np.float64]:
        """Return one statistic of one ROI, ``(frame,)``; all NaN when it is not there.

        Args:
            name: of the ROI.
            column: a statistic, or the number of pixels.
            newest: only so many frames.
        """
        return self._series.values(_name(name, column), newest)


def _name(roi: str, column: str) -> str:
    return f"{column} of {roi}"


def table_of(frame: FrameResult) -> NDArray[np.float64]:
    """Return the statistics of a frame, ``(roi, column)``; a worker of before has sent means only.

    Returns:
        In the order of `COLUMNS`.
    """
    if frame.roi_statistics is not None:
        return frame.roi_statistics
    table = np.full((len(frame.roi_names), len(COLUMNS)), math.nan)
    table[:, 0] = frame.roi_means
    return table
