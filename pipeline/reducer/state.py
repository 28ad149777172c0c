"""What the reducer knows: sums over scans, the scans themselves, and what went wrong."""

import threading
import time
import uuid
from dataclasses import dataclass, field

from pipeline.model.cameras import Unit
from pipeline.model.parameters import Settings
from pipeline.photons.frame_safety import frames_text
from pipeline.photons.scan_photons import PhotonScan
from pipeline.photons.trust import NOTHING_BEFORE
from pipeline.protocols import snapshot
from pipeline.protocols.batch import Batch
from pipeline.reducer.accumulation import Accumulation
from pipeline.reducer.health import Health
from pipeline.reducer.scan import ScanState

PROCESS = uuid.uuid4().hex
"""Tells this process from the one before it, whose frames nobody vouches for."""
_UNKNOWN = "None"
"""The trigger map of a process that was started in the middle of a run."""
_MAX_SCANS = 3
_MAX_LABELS = 1000


@dataclass
class ReducerState:
    """Outlives a scan: dranspose makes a new reducer object for each one."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    accumulation: Accumulation = field(default_factory=Accumulation)
    settings: Settings = field(default_factory=Settings)
    parameter_data: dict[str, bytes] = field(default_factory=dict)
    health: Health = field(default_factory=Health)
    scan: ScanState | None = None
    """The newest scan that has begun."""
    photon_scan: ScanState | None = None
    """The newest one with a camera whose photons are searched."""
    _revision: int = 0
    _scans: dict[str, ScanState] = field(default_factory=dict)
    _dropped: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Order and label of scans that are no longer kept."""
    _labels: dict[str, str] = field(default_factory=dict)
    """Trigger map of the scan that has a label."""
    _closing: list[tuple[PhotonScan, bool]] = field(default_factory=list)
    _orders: int = 0
    _oldest: int = 0
    _begun: int = 0
    _announced: str = _UNKNOWN
    _buffered: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By worker name: its process, and how many frames of sums it has not sent yet."""
    _last_sequence: dict[str, int] = field(default_factory=dict)

    @property
    def revision(self) -> int:
        """Number of the newest change of anything that is published."""
        return self._revision

    def mark_changed(self) -> None:
        """Say that something that is published has changed."""
        with self.lock:
            self._revision += 1

    def announce(self, mapping: str) -> None:
        """Note that a trigger map has begun; what was before is cut off."""
        self._announced = mapping
        scan = self._scans.get(mapping)
        if scan is None:
            self._open(mapping)
        elif scan.order <= 0:
            # Its first results were faster than dranspose's word of it.
            self._orders += 1
            scan.order = self._orders

    def _scan_of(self, mapping: str) -> ScanState:
        if mapping in self._scans:
            return self._scans[mapping]
        if self._announced in (mapping, _UNKNOWN):
            return self._open(mapping)
        # Of a scan before this process: it must not take the place of the one that runs.
        self._oldest -= 1
        self._scans[mapping] = ScanState(mapping, self._oldest)
        return self._scans[mapping]

    def _open(self, mapping: str) -> ScanState:
        for scan in self._scans.values():
            scan.give_up_waiting(self.settings)
        self._orders += 1
        before = self.scan.photon_evidence if self.scan is not None else NOTHING_BEFORE
        self._scans[mapping] = ScanState(mapping, self._orders, before)
        # Frames of a cut-off scan may still come with the first event of the next.
        while len(self._scans) > _MAX_SCANS:
            oldest = self._scans.pop(next(iter(self._scans)))
            self._dropped[oldest.mapping] = oldest.order, self._label_of(oldest)
            self._close(oldest)
        while len(self._dropped) > _MAX_LABELS:
            del self._dropped[next(iter(self._dropped))]
        return self._scans[mapping]

    def add_batch(self, batch: Batch) -> None:
        """Take in a batch; one that came before is dropped."""
        if batch.sequence <= self._last_sequence.get(batch.boot, -1):
            return
        self._last_sequence[batch.boot] = batch.sequence
        self.mark_changed()
        for error in batch.refused:
            self.health.fail(error)
        result = batch.result
        for error in result.failed:
            self.health.fail(f"event {batch.event}: {error}", 1)
        if result.start is not None and result.start.problem:
            self.health.fail(result.start.problem)
        self.health.discarded_frames += result.discarded is not None
        if batch.mapping not in self._dropped:
            self._add_to_scan(self._scan_of(batch.mapping), batch)
        order, _ = self._order_and_label(batch.mapping)
        if result.frame is not None:
            self.health.frames += 1
            self.health.last_frame_time = time.time()
            if not result.frame.accumulate:
                self.accumulation.note_forwarded((order, batch.event))
        self._count_buffered(batch)
        for partial in result.partials:
            order, label = self._order_and_label(partial.mapping)
            self.accumulation.add_partial(partial, batch.worker, order, label, self.settings)

    def _count_buffered(self, batch: Batch) -> None:
        """Count the frames that a worker has not sent yet: a killed one takes them with it."""
        boot, frames = self._buffered.get(batch.worker, (batch.boot, 0))
        if boot != batch.boot:
            if frames:
                lost = f"{frames} frames that it had buffered are lost"
                self.health.fail(f"{batch.worker} was restarted; {lost}", frames)
            frames = 0
        frame = batch.result.frame
        frames += frame is not None and frame.accumulate and frame.photons is None
        frames -= sum(
            len(p.events) for p in batch.result.partials if p.accumulate and p.unit != Unit.COUNTS
        )
        self._buffered[batch.worker] = batch.boot, max(0, frames)

    def _order_and_label(self, mapping: str) -> tuple[int, str]:
        if mapping in self._dropped:
            return self._dropped[mapping]
        scan = self._scan_of(mapping)
        return scan.order, self._label_of(scan)

    def _label_of(self, scan: ScanState) -> str:
        """Return a scan's label; where another one has it already, with a number of its own."""
        owner = self._labels.setdefault(scan.label, scan.mapping)
        if len(self._labels) > _MAX_LABELS:
            del self._labels[next(iter(self._labels))]
        return scan.label if owner == scan.mapping else f"{scan.label} ({scan.order})"

    def _add_to_scan(self, scan: ScanState, batch: Batch) -> None:
        scan.add_batch(batch, self.settings)
        self._note_photons(scan)
        if scan.begun and (self.scan is None or scan.order > self.scan.order):
            self._begin(scan)
        if scan.ended:
            self._close(scan)

    def _note_photons(self, scan: ScanState) -> None:
        newest = self.photon_scan
        if scan.photons is not None and (newest is None or scan.order > newest.order):
            self.photon_scan = scan

    def _begin(self, scan: ScanState) -> None:
        if self.scan is not None:
            self._close(self.scan)
        self._begun += 1
        scan.number = self._begun
        self.scan = scan

    def _close(self, scan: ScanState) -> None:
        if scan.photons is not None:
            self._closing.append((scan.photons, scan.ended))

    def take_closing(self) -> list[tuple[PhotonScan, bool]]:
        """Return photon files to close, and whether complete; close them outside of the lock."""
        with self.lock:
            closing, self._closing = self._closing, []
            return closing

    def note_closed(self) -> None:
        """Note that files which `take_closing` gave are closed, or close by themselves."""
        with self.lock:
            self.mark_changed()

    @property
    def files_closed(self) -> bool:
        """True when no photon file waits to be closed."""
        scans = self._scans.values()
        return not self._closing and all(s.photons is None or s.photons.settled for s in scans)

    def watch(self, now: float) -> None:
        """Give up events that have not come for too long; `now` is monotonic [s]."""
        with self.lock:
            for scan in self._scans.values():
                given_up = scan.watch(now, self.settings)
                self._note_photons(scan)
                if given_up:
                    self.fail(given_up)

    def frame_safety(self, now: float) -> snapshot.FrameSafety:
        """Say whether every frame is safe somewhere; `now` is monotonic [s]."""
        with self.lock:
            scan = self.photon_scan
            if scan is None or scan.photons is None:
                return snapshot.FrameSafety(
                    process=PROCESS, reason="No frame of the Balor was seen yet: take a scan."
                )
            scan.look_at_queue(now)
            photons = scan.photons
            safety = photons.safety(now)
            return snapshot.FrameSafety(
                process=PROCESS,
                mapping=scan.mapping,
                number=scan.published_number,
                filename=photons.path,
                may_drop_raw=int(safety.may_drop_raw),
                reason=safety.reason,
                newest=safety.newest,
                unsafe=frames_text(safety.unsafe),
                waiting=frames_text(safety.waiting),
                series_ended=int(scan.series_ended),
                complete=int(safety.complete),
                save_raw=photons.save_raw,
            )

    def fail(self, error: str, frames: int = 0) -> None:
        """Note an error and how many frames it cost."""
        with self.lock:
            self.health.fail(error, frames)
            self.mark_changed()

    def update_settings(self, settings: Settings) -> None:
        """Take over changed settings."""
        with self.lock:
            self.settings = settings
            self.accumulation.reset(settings.accumulation_id)
            for scan in {self.scan, self.photon_scan}:
                if scan is not None and scan.photons is not None:
                    scan.photons.update(settings)
            self.mark_changed()

    def scans(self) -> tuple[ScanState, ...]:
        """Return the scans that may still change."""
        return tuple(self._scans.values())
