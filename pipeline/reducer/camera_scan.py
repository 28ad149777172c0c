"""One camera's part of a scan."""

import math

from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.roi_statistics import STATISTICS
from pipeline.protocols.batch import CameraResult, FrameResult, StartInfo
from pipeline.reducer.frame_statistics import FrameStatistics, table_of
from pipeline.reducer.roi_totals import RoiTotals
from pipeline.reducer.scan_axis import ScanAxis


class CameraScan:
    """What came of the frames of one camera; results are taken in the order of their events."""

    def __init__(self, stream: str, axis: ScanAxis) -> None:
        self.stream = stream
        self.axis = axis
        self.start: StartInfo | None = None
        self.frames = 0
        self.processed = 0
        """Frames in the order of the events, with those that failed."""
        self.totals = RoiTotals()
        self.statistics = FrameStatistics()
        self.ended = False
        """The series has ended, and everything before its end is in."""
        self.series_ended = False
        self.ended_workers: set[str] = set()
        """Workers that have seen the end of the series."""
        self.lost = FrameRanges()
        """Frames that were given up in a resumed scan."""
        self.newest_event = 0
        self._newest: dict[str, list[float]] = {}
        """The newest frame's statistics by ROI."""
        self._newest_number = -1
        self._events = FrameRanges()
        """Events that brought a frame."""

    def arrive(self, result: CameraResult, worker: str) -> None:
        """Take note of a result before its turn."""
        if result.start is not None and self.start is None:
            self.start = result.start
        if result.series_end:
            self.series_ended = True
            self.ended_workers.add(worker)

    def is_repeated(self, event: int, result: CameraResult) -> bool:
        """Say whether an event brought its frame to more than one worker.

        Events of one frame go to one worker; to all of them go only start and end.
        """
        return result.frame_number is not None and event in self._events

    def add(self, event: int, result: CameraResult, lost_events: FrameRanges | None) -> None:
        """Take in a result whose turn it is.

        Args:
            event: its event.
            result: what it gave.
            lost_events: events that the reducer's process before took with it, of any camera;
                None: it lost none.
        """
        number = result.frame_number
        if lost_events is not None and event:
            self._count_lost(event, number, lost_events, at_end=result.series_end)
        if number is not None:
            self._events.add(event)
            self._newest_number = number
        self.newest_event = max(self.newest_event, event)
        self.processed += number is not None or result.failed
        if result.frame is not None:
            self.frames += 1
            self._add_frame(result.frame, event)
        self.ended |= result.series_end

    def _add_frame(self, frame: FrameResult, event: int) -> None:
        table = table_of(frame)
        self._newest = dict(zip(frame.roi_names, table.tolist(), strict=True))
        means = dict(zip(frame.roi_names, frame.roi_means.tolist(), strict=True))
        self.axis.add_frame(frame.frame, means, event)
        self.statistics.add(frame, table)
        self.totals.add(frame.roi_names, table[:, : len(STATISTICS)])

    def _count_lost(
        self, event: int, number: int | None, lost_events: FrameRanges, at_end: bool
    ) -> None:
        """Count the frames that the process before took with it: their numbers are missing."""
        if number is not None and number in self.lost:
            self.lost = self.lost.difference(FrameRanges([(number, number)]))
            self.processed -= 1
            return
        gone = _count_between(lost_events, self.newest_event, event)
        if number is not None:
            first = max(self._newest_number + 1, number - gone)
            last = number - 1
        elif at_end:
            first, last = self._newest_number + 1, self._newest_number + gone
        else:
            return
        if first <= last:
            self.lost.add_range(first, last)
            self.processed += last - first + 1

    def newest(self, name: str, statistic: str) -> float:
        """Return the newest frame's statistic of a ROI; NaN when it was not there."""
        row = self._newest.get(name)
        return math.nan if row is None else row[STATISTICS.index(statistic)]


def _count_between(events: FrameRanges, before: int, behind: int) -> int:
    """Return how many of some events lie between two others."""
    ranges = ((max(a, before + 1), min(b, behind - 1)) for a, b in events.as_tuple())
    return sum(max(0, b - a + 1) for a, b in ranges)
