"""The results of one scan: what came of each event, put in order."""

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.model.cameras import CAMERAS
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons.frame_safety import NO_QUEUE, Queue
from pipeline.photons.list_resume import NO_FILE, Existing
from pipeline.photons.scan_photons import PhotonScan
from pipeline.photons.trust import NOTHING_BEFORE, PhotonsBefore
from pipeline.protocols.batch import Batch, DiscardedFrame, FrameResult, FrameStatus, StartInfo
from pipeline.reducer.reorder import Reorder
from pipeline.reducer.roi_curves import RoiTotals, ScanAxis

_GIVEN_UP = 10.0
"""An event that has not come after so long is lost [s]."""
_GIVEN_UP_RESUMED = 3.0
"""The same after a restart of the reducer, which has lost what was on its way [s]."""


@dataclass(frozen=True)
class _Arrived:
    """A batch that waits for its turn."""

    batch: Batch
    since: float
    """When it came, monotonic [s]."""


class ScanState:
    """Takes the batches of one trigger map, in whatever order they come."""

    def __init__(
        self,
        mapping: str,
        order: int,
        photons_before: PhotonsBefore = NOTHING_BEFORE,
        photon_file: Existing = NO_FILE,
    ) -> None:
        self.mapping = mapping
        self.order = order
        """Ascends with every trigger map of this process, also those that only flush."""
        self.number = 0
        """Counts the scans that have begun."""
        self.axis = ScanAxis()
        self.start: StartInfo | None = None
        self.photons: PhotonScan | None = None
        self.frames = 0
        self.processed = 0
        """Frames in the order of the events, with those that failed."""
        self.totals = RoiTotals()
        self.ended = False
        """The end was reached and everything before it is in."""
        self.series_ended = False
        self.ended_workers: set[str] = set()
        self.resumed = False
        """It goes on from a journal: some of its events were lost with the process before."""
        self._lost_events = FrameRanges()
        self._frame_of_event_0 = -1
        """Number of the frame of event 0, if it brought one: the start brings none."""
        self._photons_before = photons_before
        self._photon_file = photon_file
        self._newest: FrameResult | None = None
        self._newest_event = 0
        self._frame_events = FrameRanges()
        """Events that brought a frame."""
        self._reorder: Reorder[_Arrived] = Reorder()
        self._arrived: deque[tuple[float, int]] = deque()
        """When it was looked [s], and how many batches had come by then."""

    @property
    def published_number(self) -> int:
        """Sardana's number where there is one."""
        return self.number if self.axis.serial is None else self.axis.serial

    @property
    def label(self) -> str:
        """What the scan is called in files: Sardana's number, or that of a run without it."""
        return f"run{self.number}" if self.axis.serial is None else str(self.axis.serial)

    @property
    def begun(self) -> bool:
        """True when the map brought more than a request to flush."""
        return self.start is not None or self.frames > 0 or bool(self.axis.title)

    @property
    def photon_evidence(self) -> PhotonsBefore:
        """What its photons say; without detection, those of the scan before."""
        searched = self.photons is not None and self.photons.searched
        return self.photons.summary if self.photons and searched else self._photons_before

    def add_batch(self, batch: Batch, settings: Settings) -> None:
        """Take in a batch; what its event gave counts when its turn has come."""
        result = batch.result
        if result.start is not None and self.start is None:
            self.start = result.start
            if CAMERAS[result.start.stream].finds_photons:
                self._account(settings)
        if result.description is not None:
            self.axis.describe(result.description)
        if result.series_end or result.record_end:
            self.ended_workers.add(batch.worker)
            self.series_ended |= result.series_end
        # The pixels go their own way: what waits here must be small.
        small = replace(batch, result=replace(result, partials=()))
        for ready in self._reorder.add(batch.event, _Arrived(small, time.monotonic())):
            self._in_order(ready, settings)

    def expect(self, photon_file: Existing) -> None:
        """Continue a photon file of the process before, unless the file is known."""
        self._photon_file = photon_file
        if self.photons is not None:
            self.photons.expect(photon_file)

    def go_on(self) -> None:
        """Go on in a new process, whose clock is another one."""
        self.resumed = True
        self._arrived.clear()
        if self.photons is not None:
            self.photons.go_on()

    def watch(self, now: float) -> int | None:
        """Look whether results wait for an event that does not come.

        Args:
            now: monotonic time [s].

        Returns:
            The event before which no other is to be waited for; None: go on waiting.
        """
        limit = _GIVEN_UP_RESUMED if self.resumed else _GIVEN_UP
        if self.look_at_queue(now) <= limit:
            return None
        late = [come for at, come in self._arrived if now - at > limit]
        return self._reorder.highest_of(late[-1])

    def give_up(self, until: int, settings: Settings) -> str:
        """Wait no longer for events before this one; return a sentence that names them."""
        missing, lost = self._reorder.next, FrameRanges()
        for ready in self._reorder.skip_to(until):
            if ready.batch.event > missing:
                lost.add_range(missing, ready.batch.event - 1)
            missing = max(missing, ready.batch.event + 1)
            self._in_order(ready, settings)
        return f"Scan {self.label}: events {lost} did not come, results go on without."

    def look_at_queue(self, now: float) -> float:
        """Tell the photons which results wait for an earlier event; return for how long [s]."""
        waited = self._longest_wait(now)
        if self.photons is not None:
            self.photons.queue(self._queue(now - waited))
        return waited

    def _queue(self, since: float) -> Queue:
        if not len(self._reorder):
            return NO_QUEUE
        results = [ready.batch.result for ready in self._reorder]
        return Queue(
            event=self._reorder.next,
            since=min(since, *(ready.since for ready in self._reorder)),
            frames=tuple(result.frame.frame for result in results if result.frame is not None),
        )

    def _longest_wait(self, now: float) -> float:
        """Return for how long a result is known to have waited [s]; 0: none waits."""
        oldest = self._reorder.longest_waiting
        if oldest is None:
            self._arrived.clear()
            return 0.0
        while self._arrived and self._arrived[0][1] <= oldest:
            self._arrived.popleft()
        if not self._arrived or self._arrived[-1][1] < self._reorder.arrivals:
            self._arrived.append((now, self._reorder.arrivals))
        return now - self._arrived[0][0]

    def give_up_waiting(self, settings: Settings) -> None:
        """Take what is there as all there is: the scan was cut off."""
        for ready in self._reorder.rest():
            self._in_order(ready, settings)

    def _account(self, settings: Settings) -> PhotonScan:
        """Account for every frame from now on, whether photons are searched or not."""
        if self.photons is None:
            self.photons = PhotonScan(
                self.start, settings, self._photons_before, existing=self._photon_file
            )
        return self.photons

    def _in_order(self, ready: _Arrived, settings: Settings) -> None:
        batch, result = ready.batch, ready.batch.result
        brought = result.frame or result.discarded
        if brought is not None and CAMERAS[brought.stream].finds_photons:
            self._account(settings)
        given_up = batch.event - self._newest_event - 1
        if given_up > 0 and self.photons is not None:
            self.photons.lose(given_up)
        if self.resumed:
            self._count_lost(batch.event, brought)
        self._newest_event = max(self._newest_event, batch.event)
        if brought is not None and batch.event in self._frame_events:
            # Events of one frame go to one worker; to all of them go only the first and the last.
            if batch.event and self.photons is not None:
                self.photons.go_beyond(brought.frame)
            return
        if brought is not None:
            self._frame_events.add(batch.event)
        self.processed += brought is not None or bool(result.failed)
        if result.frame is not None:
            self._add_frame(result.frame, ready.since)
        elif result.discarded is not None:
            self._discard(result.discarded)
        elif result.failed and self.photons is not None:
            self.photons.miss(None, FrameStatus.FAILED)
        if result.record is not None:
            self.axis.add_record(result.record)
        if result.series_end or result.record_end:
            self.ended = True
        if result.series_end and self.photons is not None:
            self.photons.end()

    def _add_frame(self, frame: FrameResult, since: float) -> None:
        self.frames += 1
        self._newest = frame
        means = dict(zip(frame.roi_names, frame.roi_means.tolist(), strict=True))
        self.axis.add_frame(frame.frame, means)
        self.totals.add_means(means)
        if self.photons is None or not CAMERAS[frame.stream].finds_photons:
            return
        if frame.photons is not None:
            self.photons.add(frame.frame, frame.photons, since)
        else:
            self.photons.miss(frame.frame, FrameStatus.NOT_SEARCHED)

    def _discard(self, discarded: DiscardedFrame) -> None:
        if self.photons is not None and CAMERAS[discarded.stream].finds_photons:
            self.photons.miss(discarded.frame, FrameStatus.DISCARDED)

    def _count_lost(self, event: int, brought: FrameResult | DiscardedFrame | None) -> None:
        """Count the events that the process before took with it, in the place of their frames."""
        if event in self._lost_events:
            self._lost_events = self._lost_events.difference(FrameRanges([(event, event)]))
            self.processed -= 1
        elif event > self._newest_event + 1:
            self._lost_events.add_range(self._newest_event + 1, event - 1)
            self.processed += event - self._newest_event - 1
            if brought is not None:
                self._frame_of_event_0 = brought.frame - event
            elif self._newest is not None:
                self._frame_of_event_0 = self._newest.frame - self._newest_event

    @property
    def lost(self) -> FrameRanges:
        """Frames that were given up in a resumed scan, by their numbers as far as these ascend."""
        first = self._frame_of_event_0
        return FrameRanges((a + first, b + first) for a, b in self._lost_events.as_tuple())

    def newest_means(self, names: Sequence[str]) -> list[float]:
        """Return the newest frame's ROI means; NaN for a ROI that was not there."""
        if self._newest is None:
            return [math.nan] * len(names)
        means = dict(zip(self._newest.roi_names, self._newest.roi_means.tolist(), strict=True))
        return [means.get(name, math.nan) for name in names]
