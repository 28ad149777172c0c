"""The photons of one scan: counted, judged, made a histogram of, and written to their file."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons import trust
from pipeline.photons.energies import PhotonEnergies
from pipeline.photons.list_file import FrameRow
from pipeline.photons.list_resume import NO_FILE, Existing
from pipeline.photons.list_writer import PhotonWriter
from pipeline.photons.trust import NEWEST_PHOTONS, Evidence, FileState
from pipeline.protocols import snapshot
from pipeline.protocols.batch import FrameStatus, PhotonFrame, StartInfo

_SLOW = 2.0
"""Photons that wait longer for the disk are not safe [s]."""
_MAX_GAP = 100_000
"""So many frames that never came get rows of their own; a longer gap is a broken frame number."""


@dataclass(frozen=True)
class PhotonsBefore:
    """What the scan before says about the beam."""

    photons: int
    pileup: int
    skipped: int


NOTHING_BEFORE = PhotonsBefore(0, 0, 0)


class PhotonScan:
    """The photon state of one scan.

    Nothing here touches the disk or waits for it, but `wait`: the file has a thread of its own.
    All may be called from any thread. A frame that comes after `close` is counted and written too.

    Args:
        start: the camera's header; None when it is not known: nothing is written then.
        settings: in force now.
        before: what the scan before gave.
        clock: monotonic time [s].
        existing: photon file of the process before, which is continued.
    """

    def __init__(
        self,
        start: StartInfo | None,
        settings: Settings,
        before: PhotonsBefore = NOTHING_BEFORE,
        clock: Callable[[], float] = time.monotonic,
        existing: Existing = NO_FILE,
    ) -> None:
        self._start = start
        self._settings = settings
        self._before = before
        self._clock = clock
        self._energies = PhotonEnergies()
        self._pileup = 0
        self._newest_photons = np.empty(0, bool)
        """Which of the newest photons are falsified."""
        self._skipped = 0
        self._density = math.nan
        self._densest = 0.0
        self._newest = -1
        """Number of the newest frame."""
        self._never_came: set[int] = set()
        self._gap = ""
        """Frames that never came and are too many for rows."""
        self._frames = FrameRanges()
        self._without = FrameRanges()
        """Frames that have no photons: not searched, skipped, failed, never come, not written."""
        self._stalled = ""
        self._outside = False
        """The photon ROI does not meet the newest image."""
        named = start is not None and bool(start.filename)
        self._writer = PhotonWriter(start, settings, clock, existing) if start and named else None
        self._lock = threading.Lock()

    @property
    def path(self) -> str:
        """The photon file; empty before it stands."""
        return "" if self._writer is None else self._writer.path

    def expect(self, existing: Existing) -> None:
        """Continue a file of the process before, unless the file is known."""
        if self._writer is not None:
            self._writer.expect(existing)

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            kept = dict(self.__dict__)
        del kept["_lock"], kept["_clock"]
        return kept

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self.__dict__.update(kept, _lock=threading.Lock(), _clock=time.monotonic)

    @property
    def count(self) -> int:
        """Photons of this scan."""
        with self._lock:
            return len(self._energies)

    @property
    def summary(self) -> PhotonsBefore:
        """What the next scan should know."""
        with self._lock:
            return PhotonsBefore(len(self._energies), self._pileup, self._skipped)

    @property
    def durable(self) -> tuple[tuple[int, int], ...]:
        """First and last of each range of frames whose photons are in the file, as written."""
        return () if self._writer is None else self._writer.durable

    @property
    def oldest_waiting(self) -> tuple[int, float] | None:
        """The frame whose photons have waited longest for the disk, and since when [s]."""
        oldest = None if self._writer is None else self._writer.oldest
        return None if oldest is None else (oldest.row.frame, oldest.since)

    @property
    def settled(self) -> bool:
        """True when no file waits to be closed."""
        return self._writer is None or self._writer.settled or bool(self._slow())

    def add(self, frame: int, result: PhotonFrame) -> None:
        """Take in the photons of one frame; frames come in the order that the file is to have.

        Args:
            frame: number in the camera's series.
            result: what was found.
        """
        with self._lock:
            self._density = result.density
            self._outside = math.isnan(result.density)
            status = FrameStatus.SEARCHED if result.write else FrameStatus.NOT_SEARCHED
            if result.skipped:
                status = FrameStatus.TOO_DENSE
                self._skipped += 1
                self._densest = max(self._densest, result.density)
            falsified = result.photons.falsified
            self._energies.add(result.photons.energy)
            self._pileup += int(np.count_nonzero(falsified))
            newest = np.concatenate([self._newest_photons, falsified])
            self._newest_photons = newest[-NEWEST_PHOTONS:]
            photons = result.photons if status is FrameStatus.SEARCHED else None
            self._note(FrameRow(frame, status, photons, result.settings))

    def miss(self, frame: int | None, status: FrameStatus) -> None:
        """Take note of a frame of this scan in which no photons were searched.

        Args:
            frame: number in the camera's series; None: not known, it follows the newest.
            status: why.
        """
        with self._lock:
            self._note(FrameRow(self._newest + 1 if frame is None else frame, status))

    def lose(self, frames: int) -> None:
        """Take note that so many frames behind the newest will not come."""
        with self._lock:
            self._fill_gap(self._newest + frames)

    def stall(self, problem: str) -> None:
        """Say why results wait, empty when none do: they cannot be trusted meanwhile."""
        with self._lock:
            self._stalled = problem

    def update(self, settings: Settings) -> None:
        """Take over changed settings: limits and histogram hold for the whole scan."""
        with self._lock:
            self._settings = settings

    def flush(self) -> None:
        """Make the file, and look whether it still stands; call it a few times a second."""
        with self._lock:
            if self._writer is not None and self._wants_file():
                self._writer.flush()

    def close(self, ended: bool) -> None:
        """Close the file once all is written; may be called again.

        Args:
            ended: the scan has come to its end.
        """
        with self._lock:
            if self._writer is not None and self._wants_file():
                complete = ended and not self._never_came and not self._gap
                self._writer.close(complete)

    def wait(self, timeout: float) -> bool:
        """Wait until all that came is written, at most so long [s]; return whether it is."""
        return self._writer is None or self._writer.wait(timeout)

    def publish(self) -> tuple[snapshot.Photons, snapshot.EnergyHistogram]:
        """Return what is published of the photons, and of their energies."""
        with self._lock:
            energy, counts = self._histogram()
            evidence = self._evidence()
            verdict = trust.judge(evidence, self._settings)
            share = evidence.pileup / evidence.photons if evidence.photons else math.nan
            save_raw = None if self._start is None else self._start.camera.get("save_raw")
            photons = snapshot.Photons(
                count=evidence.photons,
                skipped_frames=self._skipped,
                trusted=int(verdict.trusted),
                may_drop_raw=int(verdict.may_drop_raw),
                reason=verdict.reason,
                filename="" if self._writer is None else self._writer.path,
                untrusted_frames=self._untrusted_frames(evidence),
                pileup_fraction=share,
                hit_density=self._density,
                save_raw=int(save_raw) if isinstance(save_raw, bool) else None,
            )
        return photons, snapshot.EnergyHistogram(energy=energy, counts=counts)

    def alarms(self) -> list[str]:
        """Return a sentence for each thing that went wrong and that somebody should fix."""
        with self._lock:
            return trust.alarms(self._evidence(), self._settings)

    def _note(self, row: FrameRow) -> None:
        """Give a frame its row in the file, and those that it shows to be missing before it."""
        self._fill_gap(row.frame - 1)
        self._newest = max(self._newest, row.frame)
        self._never_came.discard(row.frame)
        self._put(row)

    def _fill_gap(self, last: int) -> None:
        first = self._newest + 1
        if last - first >= _MAX_GAP:
            self._gap = f"{first}-{last}"
        else:
            for frame in range(first, last + 1):
                self._never_came.add(frame)
                self._put(FrameRow(frame, FrameStatus.NEVER_CAME))
        self._newest = max(self._newest, last)

    def _put(self, row: FrameRow) -> None:
        self._frames.add(row.frame)
        if (row.photons is None and row.status is not FrameStatus.DISCARDED) or not self._writer:
            self._without.add(row.frame)
        if self._writer is not None:
            self._writer.add(row, at_once=row.photons is not None)

    def _histogram(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        settings = self._settings
        return self._energies.histogram(
            settings.histogram_min, settings.histogram_max, settings.histogram_bins
        )

    def _wants_file(self) -> bool:
        """Return whether there is a file, or there is to be one before a photon comes."""
        settings = self._settings
        wanted = settings.write_photons and settings.photon_region is not None
        return self._writer is not None and (wanted or self._writer.begun)

    def _slow(self) -> str:
        """Say that photons wait too long for the disk; empty: they do not."""
        oldest = self.oldest_waiting
        waited = 0.0 if oldest is None else self._clock() - oldest[1]
        if oldest is None or waited <= _SLOW:
            return ""
        return (
            f"Photons from frame {oldest[0]} on have waited {waited:.0f} s to be written: their "
            "raw data are needed; look at the disk of the photon file."
        )

    def _file_state(self) -> FileState:
        if self._writer is None:
            return FileState.UNNAMED
        if self._writer.problem:
            return FileState.FAILED
        return FileState.WRITING if self._settings.write_photons else FileState.OFF

    def _evidence(self) -> Evidence:
        return Evidence(
            photons=len(self._energies),
            pileup=self._pileup,
            newest_photons=len(self._newest_photons),
            newest_pileup=int(np.count_nonzero(self._newest_photons)),
            skipped_frames=self._skipped,
            densest=self._densest,
            file=self._file_state(),
            file_problem=(self._writer.problem if self._writer else "") or self._slow(),
            previous_photons=self._before.photons,
            previous_pileup=self._before.pileup,
            previous_skipped=self._before.skipped,
            missing=self._missing(),
            stalled=self._stalled,
            outside=self._outside,
        )

    def _missing(self) -> str:
        """Name the frames of this scan that have no photons in the file."""
        if self._writer is not None and self._writer.gone:
            return self._frames.text()
        missing = self._without.copy()
        if self._writer is not None and (self._writer.problem or self._slow()):
            for frame in self._writer.not_durable():
                missing.add(frame)
        return ", ".join(part for part in (missing.text(), self._gap) if part)

    def _untrusted_frames(self, evidence: Evidence) -> str:
        """Name the frames that have no trusted photons in a file."""
        piles_up = trust.pileup_share(evidence) > self._settings.max_pileup
        return self._frames.text() if piles_up else evidence.missing
