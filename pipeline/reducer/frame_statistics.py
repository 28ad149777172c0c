"""The statistics of a camera's ROIs, frame by frame."""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.model.roi_statistics import COLUMNS
from pipeline.protocols.batch import FrameResult
from pipeline.reducer.roi_curves import RoiSeries

_KEPT = COLUMNS[1:]
"""The means stand in the scan's axis."""


class FrameStatistics:
    """Keeps everything but the means, which have a series of their own, one row a frame."""

    def __init__(self) -> None:
        self._series = {column: RoiSeries() for column in _KEPT}

    def add(self, frame: FrameResult) -> None:
        """Add the statistics of the next frame; a worker of before has sent means only."""
        table = frame.roi_statistics
        if table is None:
            table = np.full((len(frame.roi_names), len(COLUMNS)), math.nan)
        for number, column in enumerate(_KEPT, 1):
            values = dict(zip(frame.roi_names, table[:, number].tolist(), strict=True))
            self._series[column].append(frame.frame, values)

    def values(self, name: str, column: str) -> NDArray[np.float64]:
        """Return one statistic of one ROI, ``(frame,)``; all NaN when it is not there."""
        return self._series[column].values(name)
