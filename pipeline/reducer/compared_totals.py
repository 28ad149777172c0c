"""Running totals of ROIs with minus or over: what was gained since some frame is that frame's."""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.frames.roi_ratio import usable
from pipeline.model.roi import COLUMN, Roi
from pipeline.reducer.roi_readings import RoiReadings


@dataclass(frozen=True)
class Total:
    """Sums over the shots of a scan; their quotient is the mean, or with over the ratio."""

    numerator: float = 0.0
    denominator: float = 0.0
    """Sum of the denominators; without over the number of shots."""
    frames: int = 0
    """Frames of the ROI's camera that were looked at."""
    roi: Roi | None = None
    """As it was; after a change the totals begin anew."""
    stream: str = ""


class ComparedTotals:
    """Follows the frames as they come, so that a long scan costs no more than a short one."""

    def __init__(self) -> None:
        self._totals: dict[tuple[str, str], Total] = {}

    def follow(self, readings: RoiReadings, name: str, statistic: str) -> Total:
        """Take in the shots that have come since the call before, and return the totals.

        Shots whose denominator is missing or not above 0 are in neither sum. A number of the
        records comes after its frames: with that, nothing is counted.
        """
        camera, roi = readings.owner(name), readings.rois[name]
        if camera is None or roi.over.startswith(COLUMN):
            return Total()
        key = name, statistic
        before = self._totals.get(key, Total())
        if (before.roi, before.stream) != (roi, camera.stream):
            before = Total(roi=roi, stream=camera.stream)
        new = camera.frames - before.frames
        if new:
            numerator, denominator = readings.shots(name, statistic, new)
            below = np.ones(len(numerator)) if denominator is None else denominator
            use = np.isfinite(numerator) & usable(below)
            before = Total(
                math.fsum([before.numerator, *numerator[use].tolist()]),
                math.fsum([before.denominator, *below[use].tolist()]),
                camera.frames,
                roi,
                camera.stream,
            )
        self._totals[key] = before
        return before

    def keep_only(self, names: frozenset[str]) -> None:
        """Forget ROIs that are gone."""
        self._totals = {key: total for key, total in self._totals.items() if key[0] in names}
