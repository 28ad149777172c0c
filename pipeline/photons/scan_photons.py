"""The photons of one scan: counted, judged, made a histogram of, and written to their file."""

import math
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons import trust
from pipeline.photons.energies import PhotonEnergies
from pipeline.photons.list_writer import Job, PhotonWriter
from pipeline.photons.trust import Evidence, FileState
from pipeline.protocols import snapshot
from pipeline.protocols.batch import PhotonFrame, PhotonList, StartInfo

FLUSH_INTERVAL = 0.4
"""The file is flushed by the first `tick` after so long [s]."""
MAX_WAITING = 5_000_000
"""Photons that may wait for the disk; 60 MB."""


@dataclass(frozen=True)
class PhotonsBefore:
    """What the scan before says about the beam."""

    photons: int
    pileup: int
    skipped: int


NOTHING_BEFORE = PhotonsBefore(0, 0, 0)


class PhotonScan:
    """The photon state of one scan.

    `add`, `update`, `publish` and `alarms` never touch the disk and wait for nobody who does;
    `tick` and `close` do the disk's work in the thread that calls them. All may be called from any
    thread. A photon that comes after `close` is counted, and written by the next `tick` or `close`.

    Args:
        start: the camera's header; None when it is not known: nothing is written then.
        settings: in force now.
        before: what the scan before gave.
    """

    def __init__(
        self,
        start: StartInfo | None,
        settings: Settings,
        before: PhotonsBefore = NOTHING_BEFORE,
    ) -> None:
        self._start = start
        self._settings = settings
        self._before = before
        self._energies = PhotonEnergies()
        self._seen = 0
        self._skipped = 0
        self._density = math.nan
        self._densest = 0.0
        self._frames = FrameRanges()
        self._without = FrameRanges()
        """Frames that were skipped, not searched or not written."""
        self._stalled = ""
        self._outside = False
        """The photon ROI does not meet the newest image."""
        self._waiting: list[tuple[int, PhotonList]] = []
        self._waiting_photons = 0
        self._changed_settings: tuple[Settings, int] | None = None
        self._unwritten = True
        """There is something that the file does not show."""
        self._complete: bool | None = None
        """None: the scan goes on."""
        self._last_tick = -math.inf
        self._writer = PhotonWriter(start, settings)
        self._lock = threading.Lock()
        self._disk = threading.Lock()
        """Held by who works on the file; taken before `_lock`, never inside of it."""

    @property
    def count(self) -> int:
        """Photons of this scan."""
        with self._lock:
            return len(self._energies)

    @property
    def summary(self) -> PhotonsBefore:
        """What the next scan should know."""
        with self._lock:
            pileup = self._energies.above(self._settings.pileup_threshold)
            return PhotonsBefore(len(self._energies), pileup, self._skipped)

    def add(self, event: int, frame: int, result: PhotonFrame) -> None:
        """Take in the photons of one frame.

        Args:
            event: number of the event; events come in the order that the file is to have.
            frame: number in the camera's series.
            result: what was found.
        """
        with self._lock:
            self._seen += 1
            self._frames.add(frame)
            self._density = result.density
            self._outside = math.isnan(result.density)
            self._unwritten = True
            if result.skipped:
                self._skipped += 1
                self._densest = max(self._densest, result.density)
                self._without.add(frame)
                return
            self._energies.add(result.photons.energy)
            if not self._wants_file():
                self._without.add(frame)
            elif self._waiting_photons + len(result.photons) > MAX_WAITING:
                self._writer.refuse(
                    f"{self._waiting_photons} photons wait for the disk: it is too slow. Photons "
                    "are counted but not written: check the disk, then start a new scan."
                )
                self._without.add(frame)
            else:
                self._waiting.append((frame, result.photons))
                self._waiting_photons += len(result.photons)

    def miss(self, frame: int) -> None:
        """Take note of a frame of this scan in which no photons were searched.

        Args:
            frame: number in the camera's series.
        """
        with self._lock:
            self._frames.add(frame)
            self._without.add(frame)

    def stall(self, problem: str) -> None:
        """Say why results wait, empty when none do: they cannot be trusted meanwhile."""
        with self._lock:
            self._stalled = problem

    def update(self, settings: Settings) -> None:
        """Take over changed settings; histogram and pile-up fraction follow for the whole scan."""
        with self._lock:
            if self._complete is None and _finding(settings) != _finding(self._settings):
                self._changed_settings = settings, self._seen
                self._unwritten = True
            self._settings = settings

    def tick(self, now: float) -> None:
        """Write and flush what came since the last time.

        Call it at least twice a second, so that a kill costs no more than the last second.

        Args:
            now: monotonic time [s].
        """
        if now - self._last_tick < FLUSH_INTERVAL:
            return
        self._last_tick = now
        with self._disk:
            self._write()

    def close(self, complete: bool) -> None:
        """Write all that is left and close the file; may be called again.

        Args:
            complete: the scan has come to its end; it cannot be taken back.
        """
        with self._disk:
            with self._lock:
                if self._complete is None or complete > self._complete:
                    self._complete = complete
                    self._unwritten = True
            self._write()

    def publish(self) -> tuple[snapshot.Photons, snapshot.EnergyHistogram]:
        """Return what is published of the photons, and of their energies."""
        with self._lock:
            settings = self._settings
            energy, counts = self._histogram()
            evidence = self._evidence()
            verdict = trust.judge(evidence, settings)
            share = evidence.pileup / evidence.photons if evidence.photons else math.nan
            save_raw = None if self._start is None else self._start.camera.get("save_raw")
            photons = snapshot.Photons(
                count=evidence.photons,
                skipped_frames=self._skipped,
                trusted=int(verdict.trusted),
                may_drop_raw=int(verdict.may_drop_raw),
                reason=verdict.reason,
                filename=self._writer.path,
                untrusted_frames=self._untrusted_frames(evidence),
                pileup_fraction=share,
                hit_density=self._density,
                save_raw=int(save_raw) if isinstance(save_raw, bool) else None,
            )
        return photons, snapshot.EnergyHistogram(energy=energy, counts=counts)

    def alarms(self) -> list[str]:
        """Return a sentence for each thing that went wrong and that somebody should mend."""
        with self._lock:
            return trust.alarms(self._evidence(), self._settings)

    def _histogram(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        settings = self._settings
        return self._energies.histogram(
            settings.histogram_min, settings.histogram_max, settings.histogram_bins
        )

    def _wants_file(self) -> bool:
        return self._settings.write_photons and self._writer.named and not self._writer.problem

    def _file_state(self) -> FileState:
        if self._writer.problem:
            return FileState.FAILED
        if not self._settings.write_photons:
            return FileState.OFF
        if not self._writer.named:
            return FileState.UNNAMED
        return FileState.CLOSED if self._complete is not None else FileState.WRITING

    def _evidence(self) -> Evidence:
        return Evidence(
            photons=len(self._energies),
            pileup=self._energies.above(self._settings.pileup_threshold),
            skipped_frames=self._skipped,
            densest=self._densest,
            file=self._file_state(),
            file_problem=self._writer.problem,
            previous_photons=self._before.photons,
            previous_pileup=self._before.pileup,
            previous_skipped=self._before.skipped,
            missing=str(self._without),
            stalled=self._stalled,
            outside=self._outside,
        )

    def _untrusted_frames(self, evidence: Evidence) -> str:
        """Name the frames that have no trusted photons in a file."""
        piles_up = trust.pileup_share(evidence) > self._settings.max_pileup
        return str(self._frames if piles_up else self._without)

    def _take(self) -> Job:
        """Take out what waits to be written."""
        job = Job(self._waiting, self._seen, self._skipped, self._changed_settings)
        self._waiting, self._waiting_photons = [], 0
        self._changed_settings = None
        self._unwritten = False
        return job

    def _write(self) -> None:
        """Bring the file up to date; the caller holds `_disk`."""
        with self._lock:
            wanted = self._wants_file() and self._settings.photon_region is not None
            if not self._unwritten or not (self._waiting or wanted or self._writer.path):
                return
            job = self._take()
            complete = self._complete
            energy, counts = self._histogram()
        if complete is None:
            kept = self._writer.write(job)
        else:
            kept = self._writer.close(job, complete, energy, counts)
        if not kept:
            with self._lock:
                for frame, _ in job.frames:
                    self._without.add(frame)


def _finding(settings: Settings) -> tuple[float | str | bool, ...]:
    """Return the settings that decide which photons are in the file."""
    return (
        settings.background,
        settings.photon_threshold,
        settings.energy_threshold,
        settings.pileup_threshold,
        settings.max_pileup,
        settings.max_hit_density,
        settings.hot_pixel_ratio,
        settings.photon_roi,
        settings.write_photons,
    )
