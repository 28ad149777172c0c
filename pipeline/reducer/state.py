"""What the reducer knows: sums over scans, the scans themselves, and what went wrong."""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.cameras import ranked
from pipeline.model.correction_files import parse_corrections
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons.corrections import CorrectionLoader
from pipeline.photons.list_resume import NO_FILE, Existing
from pipeline.photons.scan_photons import PhotonScan
from pipeline.photons.trust import NOTHING_BEFORE
from pipeline.protocols.batch import Batch, CameraResult, PartialSum
from pipeline.protocols.packed_datasets import FrameSafety
from pipeline.reducer.buffered import BufferedFrames
from pipeline.reducer.camera_sums import CameraSums
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.health import Health
from pipeline.reducer.notes import (
    Announced,
    BatchTaken,
    Failed,
    GivenUp,
    Notes,
    Saved,
    SettingsTaken,
)
from pipeline.reducer.published_safety import published_safety
from pipeline.reducer.scan import ScanState
from pipeline.reducer.scans import Scans


@dataclass
class ReducerState:
    """Outlives a scan: dranspose makes a new reducer object for each one."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    accumulation: CameraSums = field(default_factory=CameraSums)
    settings: Settings = field(default_factory=Settings)
    parameter_data: dict[str, bytes] = field(default_factory=dict)
    health: Health = field(default_factory=Health)
    scan: ScanState | None = None
    """The newest scan that has begun."""
    photon_scan: ScanState | None = None
    """The newest one with a camera whose photons are searched."""
    _revision: int = 0
    _scans: Scans = field(default_factory=Scans)
    _closing: list[tuple[PhotonScan, bool]] = field(default_factory=list)
    _begun: int = 0
    _corrections: CorrectionLoader = field(default_factory=CorrectionLoader)
    _buffered: BufferedFrames = field(default_factory=BufferedFrames)
    _seen: dict[str, FrameRanges] = field(default_factory=dict)
    """By worker process, the sequence numbers of its batches."""
    notes: Notes = field(default_factory=Notes)
    """Hears what is taken in, in order."""
    resumed: bool = False
    """It goes on from a journal."""
    photon_files: Mapping[str, Existing] = field(default_factory=dict)
    """By trigger map, what the process before has written of its photons."""

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
        if not Scans.is_known(mapping) and self.resumed:
            return
        self.notes.note(Announced(mapping, time.time()))
        if not self._scans.announce(mapping):
            self._open(mapping)

    def _scan_of(self, mapping: str) -> ScanState:
        return self._scans.find(mapping) or self._open(mapping)

    def _give_up_rest(self, scan: ScanState) -> None:
        lost = scan.lost
        scan.give_up_waiting(self.settings)
        self._name_lost(scan, lost)

    def _name_failed(self, lost: tuple[str, int]) -> None:
        error, frames = lost
        if error:
            self.health.fail(error, frames)

    def _name_lost(self, scan: ScanState, before: Mapping[str, FrameRanges]) -> None:
        """Count and name the frames that a scan has given up; one that came late is none."""
        after = scan.lost
        if not after and not before:
            return
        nothing = FrameRanges()
        for stream, lost in after.items():
            new = lost.difference(before.get(stream, nothing))
            if new:
                self.health.fail(
                    f"Scan {scan.label}: frames {new} of {stream} were on their way when the "
                    "reducer ended: they are in no curve."
                )
        now = sum(lost.count for lost in after.values())
        self.health.failed_frames += now - sum(lost.count for lost in before.values())

    def _open(self, mapping: str) -> ScanState:
        for scan in self._scans:
            self._give_up_rest(scan)
        self._name_failed(self._buffered.give_up())
        before = self.scan.photon_evidence if self.scan is not None else NOTHING_BEFORE
        existing = self.photon_files.get(mapping, NO_FILE)
        opened, dropped = self._scans.open(mapping, before, existing)
        for scan in dropped:
            self._close(scan)
        return opened

    def add_batch(self, batch: Batch) -> tuple[int, ...] | None:
        """Take in a batch; one that came before is dropped.

        Returns:
            The number of the sum that each of its partial sums went to, 0: to none; or None: the
            batch was dropped.
        """
        # While a worker turns to a new reducer, its batches may come out of order.
        seen = self._seen.setdefault(batch.boot, FrameRanges())
        if batch.sequence in seen:
            return None
        seen.add(batch.sequence)
        now = time.time()
        self.mark_changed()
        for error in batch.refused:
            self.health.fail(error)
        result = batch.result
        for error in result.failed:
            self.health.fail(f"event {batch.event}: {error}", 1)
        for problem in result.problems:
            self.health.fail(problem)
        if not self._scans.is_dropped(batch.mapping):
            self._add_to_scan(self._scan_of(batch.mapping), batch)
        for one in result.cameras:
            self._count(one, batch, now)
        self._name_failed(self._buffered.add_batch(batch, self._order_of))
        sums = tuple(self._add_partial(partial, batch.worker) for partial in result.partials)
        self.notes.note(BatchTaken(batch, sums, now))
        return sums

    def _count(self, result: CameraResult, batch: Batch, now: float) -> None:
        """Count what came of a camera in a batch that came now, seconds since 1970."""
        health, frame = self.health, result.frame
        if result.start is not None and result.start.problem:
            health.fail(result.start.problem)
        health.discarded_frames += result.discarded is not None
        health.late_messages += result.late
        if frame is None:
            return
        health.frames += 1
        health.last_frame_time = now
        if not frame.accumulate:
            self.accumulation.note_forwarded(
                frame.stream, (self._order_of(batch.mapping), batch.event)
            )

    def _add_partial(self, partial: PartialSum, worker: str) -> int:
        order, label = self._order_and_label(partial.mapping)
        scan = self._scans.get(partial.mapping)
        first = scan is None or scan.streams[:1] in ((), (partial.stream,))
        return self.accumulation.add_partial(
            partial, worker, order, label, self.settings, first, self._unmasked(partial)
        )

    def _unmasked(self, partial: PartialSum) -> NDArray[np.bool_] | None:
        """Return the pixels that the corrections of a partial sum leave in; None: all."""
        corrections = parse_corrections(partial.corrections)
        # A counting camera's frames say themselves what is masked.
        if partial.valid is not None or not corrections.masks:
            return None
        valid, problems = self._corrections.valid(partial.stream, partial.shape, corrections)
        for problem in problems:
            self.health.fail(problem)
        return valid

    def _order_of(self, mapping: str) -> int:
        if self._scans.is_dropped(mapping):
            return self._scans.dropped(mapping)[0]
        return self._scan_of(mapping).order

    def _order_and_label(self, mapping: str) -> tuple[int, str]:
        if self._scans.is_dropped(mapping):
            return self._scans.dropped(mapping)
        scan = self._scan_of(mapping)
        return scan.order, self._scans.label_of(scan)

    def _add_to_scan(self, scan: ScanState, batch: Batch) -> None:
        lost = scan.lost
        scan.add_batch(batch, self.settings)
        self._name_lost(scan, lost)
        self._note_photons(scan)
        if scan.begun and (self.scan is None or scan.order > self.scan.order):
            self._begin(scan)
        if scan.photons_ended:
            self._close(scan)
        if scan.frames_ended:
            self.accumulation.end_absent(scan.order, scan.streams)

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
            self._closing.append((scan.photons, scan.photons_ended))

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
        photons = (scan.photons for scan in self._scans)
        return not self._closing and all(found is None or found.settled for found in photons)

    def watch(self, now: float) -> None:
        """Give up events that have not come for too long; `now` is monotonic [s]."""
        with self.lock:
            for scan in self._scans:
                until = scan.watch(now)
                if until is not None:
                    self.give_up(scan.mapping, until)

    def give_up(self, mapping: str, until: int) -> None:
        """Wait no longer for events of a scan before this one."""
        with self.lock:
            scan = self._scans.get(mapping)
            if scan is None:
                return
            lost = scan.lost
            self.health.fail(scan.give_up(until, self.settings))
            self._name_lost(scan, lost)
            self._note_photons(scan)
            self._name_failed(self._buffered.give_up())
            self.notes.note(GivenUp(mapping, until))
            self.mark_changed()

    def frame_safety(self, now: float) -> FrameSafety:
        """Say whether every frame is safe somewhere; `now` is monotonic [s]."""
        with self.lock:
            return published_safety(self.photon_scan, now)

    def fail(self, error: str, frames: int = 0) -> None:
        """Note an error and how many frames it cost."""
        with self.lock:
            self.notes.note(Failed(error, frames))
            self.health.fail(error, frames)
            self.mark_changed()

    def note_saved(self, total: Sum) -> None:
        """Note that a sum is in a file as it stands, or need not be."""
        with self.lock:
            self.notes.note(Saved(total.number, total.saved_count))

    def update_settings(self, settings: Settings) -> None:
        """Take over changed settings."""
        with self.lock:
            self.notes.note(SettingsTaken(settings.values()))
            self.settings = settings
            self.accumulation.reset(settings.accumulation_id)
            for scan in {self.scan, self.photon_scan}:
                if scan is not None and scan.photons is not None:
                    scan.photons.update(settings)
            self.mark_changed()

    def go_on(self, unsaved: Iterable[Sum], saved: Mapping[int, int]) -> None:
        """Go on after a restart of the process; see `Accumulation.restore`."""
        self.resumed = True
        self._scans.forget_announced()
        for scan in {*self._scans, self.scan, self.photon_scan}:
            if scan is not None:
                scan.go_on()
        for photons, _ in self._closing:
            photons.go_on()
        self.accumulation.restore(unsaved, saved)
        self.mark_changed()

    def shown_camera(self) -> str:
        """Return the camera that is shown: the one asked for, where it has anything to show."""
        there = self._known_cameras()
        wanted = self.settings.camera
        return wanted if wanted in there else next(iter(there), "")

    def geometry_camera(self) -> str:
        """Return the camera that the geometry belongs to: the one named, else the first."""
        return self.settings.geometry_camera or next(iter(self._known_cameras()), "")

    def _known_cameras(self) -> tuple[str, ...]:
        """Return the cameras of the scan, then those with an image; a camera may stand twice."""
        of_scan = () if self.scan is None else self.scan.streams
        return *of_scan, *ranked(self.accumulation.streams)

    def __getstate__(self) -> dict[str, Any]:
        kept = dict(self.__dict__)
        for name in ("lock", "notes", "parameter_data", "photon_files", "_corrections"):
            del kept[name]
        return kept

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self.__dict__.update(ReducerState().__dict__)
        self.__dict__.update(kept)

    def scans(self) -> tuple[ScanState, ...]:
        """Return the scans that may still change."""
        return tuple(self._scans)
