"""The results of one scan: what came of each event, put in order."""

from collections.abc import Iterable
from dataclasses import replace

from pipeline.model.cameras import ranked
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons.list_resume import NO_FILE, Existing
from pipeline.photons.scan_photons import PhotonScan
from pipeline.photons.trust import NOTHING_BEFORE, PhotonsBefore
from pipeline.protocols.batch import Batch, CameraResult, FrameStatus, StartInfo
from pipeline.reducer.arrivals import Arrivals, Arrived
from pipeline.reducer.camera_scan import CameraScan
from pipeline.reducer.columns import Columns
from pipeline.reducer.compared_totals import ComparedTotals
from pipeline.reducer.passed_over import PassedOver
from pipeline.reducer.scan_axis import ScanAxis

_GIVEN_UP = 10.0
"""An event that has not come after so long is lost [s]."""
_GIVEN_UP_RESUMED = 3.0
"""The same after a restart of the reducer, which has lost what was on its way [s]."""


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
        self.columns = Columns()
        """Numbers of the records."""
        self.axis = ScanAxis()
        """What Sardana says; each camera has an axis of its own, with the same steps."""
        self.photons: PhotonScan | None = None
        self.resumed = False
        """It goes on from a journal: some of its events were lost with the process before."""
        self.compared = ComparedTotals()
        self._cameras: dict[str, CameraScan] = {}
        self._end_event: int | None = None
        """The event that brought the end of Sardana's records."""
        self._record_workers: set[str] = set()
        self._lost_events = FrameRanges()
        self._passed = PassedOver()
        self._photon_streams: frozenset[str] = frozenset()
        """Cameras whose photons are searched in this scan, as the settings said at its start."""
        self._photons_before = photons_before
        self._photon_file = photon_file
        self._newest_event = 0
        self._reorder = Arrivals()

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
        return bool(self._cameras) or bool(self.axis.title)

    @property
    def cameras(self) -> tuple[CameraScan, ...]:
        """The cameras of which something has come; the first one stands for the scan."""
        return tuple(self._cameras[stream] for stream in ranked(self._cameras))

    @property
    def streams(self) -> tuple[str, ...]:
        """The same cameras by their streams."""
        return ranked(self._cameras)

    def camera(self, stream: str) -> CameraScan | None:
        """Return a camera of the scan; None: nothing has come of it."""
        return self._cameras.get(stream)

    @property
    def frames(self) -> int:
        """Frames of all cameras whose results are in."""
        return sum(camera.frames for camera in self._cameras.values())

    @property
    def processed(self) -> int:
        """Frames of all cameras in the order of the events, with those that failed."""
        return sum(camera.processed for camera in self._cameras.values())

    @property
    def start(self) -> StartInfo | None:
        """Header of the first camera."""
        return next((camera.start for camera in self.cameras), None)

    @property
    def ended(self) -> bool:
        """The ends of all streams were reached and everything before them is in."""
        records_ended = self._end_event is not None
        return (self.frames_ended or records_ended) and self._is_complete

    @property
    def frames_ended(self) -> bool:
        """The series of all cameras have ended, and everything before their ends is in."""
        cameras = self._cameras.values()
        return bool(cameras) and all(camera.ended for camera in cameras)

    @property
    def photons_ended(self) -> bool:
        """The series whose photons are searched has ended, and all before its end is in."""
        searched = self._searched
        return bool(searched) and all(camera.ended for camera in searched)

    @property
    def photon_series_ended(self) -> bool:
        """The series whose photons are searched has ended."""
        searched = self._searched
        return bool(searched) and all(camera.series_ended for camera in searched)

    @property
    def _searched(self) -> list[CameraScan]:
        """The cameras whose photons are searched."""
        return [c for c in self._cameras.values() if c.stream in self._photon_streams]

    @property
    def _is_complete(self) -> bool:
        """True when nothing is outstanding that a worker has passed over."""
        return not self._passed and all(map(self._is_over, self._cameras.values()))

    def _is_over(self, camera: CameraScan) -> bool:
        """Say whether the trigger map has nothing more of a camera.

        Without its end of series: it sent more frames than were announced, and one of them came in
        the event of the ends.
        """
        return camera.ended or camera.newest_event == self._end_event

    @property
    def series_ended(self) -> bool:
        """The series of all cameras have ended."""
        ended = [camera.series_ended for camera in self._cameras.values()]
        return bool(ended) and all(ended)

    @property
    def ended_workers(self) -> frozenset[str]:
        """Workers that have seen the ends of all cameras."""
        if not self._cameras:
            return frozenset(self._record_workers)
        return frozenset.intersection(*map(self._workers_at_end, self.cameras))

    def _workers_at_end(self, camera: CameraScan) -> frozenset[str]:
        if camera.ended or not self._is_over(camera):
            return frozenset(camera.ended_workers)
        return frozenset(self._record_workers)

    @property
    def photon_evidence(self) -> PhotonsBefore:
        """What its photons say; without detection, those of the scan before."""
        searched = self.photons is not None and self.photons.searched
        return self.photons.summary if self.photons and searched else self._photons_before

    def add_batch(self, batch: Batch, settings: Settings) -> None:
        """Take in a batch; what its event gave counts when its turn has come."""
        result = batch.result
        if not self._photon_streams:
            self._photon_streams = settings.photon_streams
        for one in result.cameras:
            if not one.late:
                self._arrive(one, batch.worker, settings)
        if result.description is not None:
            self.columns.describe(result.description)
            for axis in self._axes():
                axis.describe(result.description)
        if result.record_end:
            self._record_workers.add(batch.worker)
        # The pixels go their own way: what waits here must be small.
        small = batch
        if result.partials:
            small = replace(batch, result=replace(result, partials=()))
        self._passed.note(batch)
        if batch.passed:
            # Those that come late are not lost: they have gone past.
            self._take(self._reorder.pass_over(event for event, _ in batch.passed), settings)
        self._take(self._reorder.add(batch.event, Arrived(small)), settings)

    def _take(self, ready: Iterable[Arrived], settings: Settings) -> None:
        for one in ready:
            self._in_order(one, settings)

    def _arrive(self, result: CameraResult, worker: str, settings: Settings) -> None:
        stream = result.stream
        if stream not in self._cameras:
            self._cameras[stream] = CameraScan(stream, self.axis.of_another_camera())
        camera = self._cameras[stream]
        news = result.start is not None and camera.start is None
        camera.arrive(result, worker)
        if news and stream in self._photon_streams:
            self._account(camera, settings)

    def _axes(self) -> Iterable[ScanAxis]:
        return self.axis, *(camera.axis for camera in self._cameras.values())

    def expect(self, photon_file: Existing) -> None:
        """Continue a photon file of the process before, unless the file is known."""
        self._photon_file = photon_file
        if self.photons is not None:
            self.photons.expect(photon_file)

    def go_on(self) -> None:
        """Go on in a new process, whose clock is another one."""
        self.resumed = True
        self._reorder.forget_times()
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
        return self._reorder.newest_late(now, limit)

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
        waited = self._reorder.longest_wait(now)
        if self.photons is not None:
            self.photons.queue(self._reorder.queue(now - waited, self._photon_streams))
        return waited

    def give_up_waiting(self, settings: Settings) -> None:
        """Take what is there as all there is: the scan was cut off."""
        self._take(self._reorder.rest(), settings)

    def _account(self, camera: CameraScan, settings: Settings) -> PhotonScan:
        """Account for every frame from now on, whether photons are searched or not."""
        if self.photons is None:
            self.photons = PhotonScan(
                camera.start, settings, self._photons_before, existing=self._photon_file
            )
        return self.photons

    def _in_order(self, ready: Arrived, settings: Settings) -> None:
        batch, result = ready.batch, ready.batch.result
        cameras = [one for one in result.cameras if not one.late]
        for one in cameras:
            if one.frame_number is not None and one.stream in self._photon_streams:
                self._account(self._cameras[one.stream], settings)
        self._lose_before(batch.event)
        for one in cameras:
            self._add_camera(batch.event, one, ready.since)
        if result.record is not None:
            self.columns.add_record(result.record, self.axis.movables)
            for axis in self._axes():
                axis.add_record(result.record, batch.event)
        if result.record_end:
            self._end_event = batch.event

    def _lose_before(self, event: int) -> None:
        """Account for the events before this one that are not waited for any more."""
        gap = range(self._newest_event + 1, event)
        if gap and self.photons is not None:
            self.photons.lose(self._shots_in(gap))
        if self.resumed and event in self._lost_events:
            self._lost_events = self._lost_events.difference(FrameRanges([(event, event)]))
        elif self.resumed and gap:
            self._lost_events.add_range(gap[0], gap[-1])
        self._newest_event = max(self._newest_event, event)

    def _shots_in(self, events: range) -> int:
        """Return of how many frames of the photons' camera some lost events can have been."""
        without = self._passed.without_photons(events, self._photon_streams)
        unknown = len(events) - without
        return -(-unknown // max(1, len(self._cameras)))

    def _add_camera(self, event: int, result: CameraResult, since: float) -> None:
        camera = self._cameras[result.stream]
        finds_photons = result.stream in self._photon_streams
        repeated = result.left
        if repeated is None and camera.is_repeated(event, result):
            repeated = result.frame_number
        if repeated is not None:
            if event and finds_photons and self.photons is not None:
                self.photons.go_beyond(repeated)
            return
        camera.add(event, result, self._lost_events if self.resumed else None)
        if finds_photons and self.photons is not None:
            _tell_photons(self.photons, result, since)

    @property
    def lost(self) -> dict[str, FrameRanges]:
        """Frames of each camera that were given up in a resumed scan."""
        return {c.stream: c.lost.copy() for c in self._cameras.values() if c.lost}


def _tell_photons(photons: PhotonScan, result: CameraResult, since: float) -> None:
    """Tell the photons what came of an event of their camera."""
    frame = result.frame
    if frame is not None and frame.photons is not None:
        photons.add(frame.frame, frame.photons, since)
    elif frame is not None:
        photons.miss(frame.frame, FrameStatus.NOT_SEARCHED)
    elif result.discarded is not None:
        photons.miss(result.discarded.frame, FrameStatus.DISCARDED)
    elif result.failed:
        photons.miss(None, FrameStatus.FAILED)
    if result.series_end:
        photons.end()
