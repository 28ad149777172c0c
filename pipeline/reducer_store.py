"""What the reducer knows: sums over scans, the scans themselves, and what went wrong."""

import threading
import time
from dataclasses import dataclass, field

from pipeline.accumulate import Accumulation
from pipeline.parameters import Settings
from pipeline.photon_scan import NOTHING_BEFORE, PhotonScan
from pipeline.results import Batch
from pipeline.scan_state import ScanState

_KEPT_SCANS = 3
_KEPT_LABELS = 1000


@dataclass
class Health:
    """Counted, never silent."""

    frames: int = 0
    failed_frames: int = 0
    last_error: str = ""
    last_frame_time: float | None = None
    """Epoch [s] at which the newest frame was taken in."""

    def fail(self, error: str, frames: int = 0) -> None:
        """Note an error and how many frames it cost."""
        self.failed_frames += frames
        self.last_error = error


@dataclass
class ReducerStore:
    """Outlives a scan: dranspose makes a new reducer object for each one."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    accumulation: Accumulation = field(default_factory=Accumulation)
    settings: Settings = field(default_factory=Settings)
    parameter_data: dict[str, bytes] = field(default_factory=dict)
    health: Health = field(default_factory=Health)
    scan: ScanState | None = None
    """The newest scan that has begun."""
    revision: int = 0
    _scans: dict[str, ScanState] = field(default_factory=dict)
    _past: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Order and label of scans that are let go."""
    _closing: list[tuple[PhotonScan, bool]] = field(default_factory=list)
    _being_closed: int = 0
    _orders: int = 0
    _begun: int = 0
    _last_sequence: dict[str, int] = field(default_factory=dict)

    def open_mapping(self, mapping: str) -> ScanState:
        """Return the state of a trigger map; a new one cuts off what was before."""
        if mapping in self._scans:
            return self._scans[mapping]
        for scan in self._scans.values():
            scan.give_up_waiting(self.settings)
        self._orders += 1
        before = self.scan.photon_evidence if self.scan is not None else NOTHING_BEFORE
        self._scans[mapping] = ScanState(mapping, self._orders, before)
        # Frames of a cut-off scan may still come with the first event of the next.
        while len(self._scans) > _KEPT_SCANS:
            past = self._scans.pop(next(iter(self._scans)))
            self._past[past.mapping] = past.order, past.label
            self._close(past)
        while len(self._past) > _KEPT_LABELS:
            del self._past[next(iter(self._past))]
        return self._scans[mapping]

    def add(self, batch: Batch) -> None:
        """Take in a batch, once."""
        if batch.sequence <= self._last_sequence.get(batch.boot, -1):
            return
        self._last_sequence[batch.boot] = batch.sequence
        self.revision += 1
        for error in batch.refused:
            self.health.fail(error)
        for error in batch.failed:
            self.health.fail(f"event {batch.event}: {error}", 1)
        if batch.mapping not in self._past:
            self._add_to_scan(self.open_mapping(batch.mapping), batch)
        order, _ = self._order_and_label(batch.mapping)
        if batch.frame is not None:
            self.health.frames += 1
            self.health.last_frame_time = time.time()
            if not batch.frame.accumulate:
                self.accumulation.note_forwarded((order, batch.event))
        for partial in batch.partials:
            order, label = self._order_and_label(partial.mapping)
            self.accumulation.add(partial, batch.worker, order, label, self.settings)

    def _order_and_label(self, mapping: str) -> tuple[int, str]:
        if mapping in self._past:
            return self._past[mapping]
        scan = self.open_mapping(mapping)
        return scan.order, scan.label

    def _add_to_scan(self, scan: ScanState, batch: Batch) -> None:
        scan.add(batch, self.settings)
        if scan.begun and (self.scan is None or scan.order > self.scan.order):
            self._begin(scan)
        if scan.ended:
            self._close(scan)

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
            self._being_closed += len(closing)
            return closing

    def note_closed(self, files: int) -> None:
        """Say that files which `take_closing` gave are closed."""
        with self.lock:
            self._being_closed -= files
            self.revision += 1

    @property
    def files_closed(self) -> bool:
        """True when no photon file waits to be closed."""
        return not self._closing and not self._being_closed

    def watch(self, now: float) -> None:
        """Look whether a scan waits for an event that does not come; `now` is monotonic [s]."""
        with self.lock:
            for scan in self._scans.values():
                given_up = scan.watch(now, self.settings)
                if given_up:
                    self.health.fail(given_up)
                    self.revision += 1

    def scans(self) -> tuple[ScanState, ...]:
        """Return the scans that may still change."""
        return tuple(self._scans.values())
