"""The photons of one scan: counted, judged, made a histogram of, and written to their file."""

import math
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons import trust
from pipeline.photons.energies import PhotonEnergies
from pipeline.photons.frame_safety import (
    NO_QUEUE,
    FrameLedger,
    Queue,
    Safety,
)
from pipeline.photons.largest import LargestEnergies
from pipeline.photons.list_columns import FrameRow
from pipeline.photons.list_resume import NO_FILE, Existing
from pipeline.photons.trust import NOTHING_BEFORE, PhotonsBefore, PhotonTally
from pipeline.photons.wanted_file import WantedFile
from pipeline.protocols import snapshot
from pipeline.protocols.batch import FrameStatus, PhotonFrame, StartInfo

_MAX_GAP = 100_000
"""So many frames that never came get rows of their own; a longer gap is a broken frame number."""


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
        self._clock = clock
        self._energies = PhotonEnergies()
        self._largest = LargestEnergies()
        self._tally = PhotonTally(before)
        self._ledger = FrameLedger()
        self._queue = NO_QUEUE
        self.searched = settings.photon_region is not None
        """Photons were searched in this scan, or are to be."""
        self._file = WantedFile(start, settings, clock, existing)
        self._lock = threading.RLock()

    def expect(self, existing: Existing) -> None:
        """Continue a file of the process before, unless the file is known."""
        self._file.expect(existing)

    def go_on(self) -> None:
        """Continue the photon file in a new process."""
        with self._lock:
            self._file.go_on()

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            kept = dict(self.__dict__)
            # Files are closed outside of the reducer's lock, which a snapshot holds.
            kept.update(_ledger=deepcopy(self._ledger), _file=self._file.copy())
        # What waits now says nothing of a later process.
        for name in ("_lock", "_clock", "_queue"):
            del kept[name]
        return kept

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self.__dict__.update(kept, _lock=threading.RLock(), _clock=time.monotonic, _queue=NO_QUEUE)
        self._ledger.go_on(self._file.unread, self._clock())

    @property
    def count(self) -> int:
        """Photons of this scan."""
        with self._lock:
            return len(self._energies)

    @property
    def summary(self) -> PhotonsBefore:
        """What the next scan should know."""
        with self._lock:
            return self._tally.summary

    @property
    def durable(self) -> tuple[tuple[int, int], ...]:
        """First and last of each range of frames whose photons are in the file, as written."""
        return self._file.durable

    @property
    def oldest_waiting(self) -> tuple[int, float] | None:
        """The frame whose photons have waited longest for the disk, and since when [s]."""
        with self._lock:
            return self._ledger.oldest_waiting(self._file.facts)

    @property
    def settled(self) -> bool:
        """True when no file waits to be closed, or waits for its disk."""
        return self._file.settled or bool(self.safety().trouble)

    def add(self, frame: int, result: PhotonFrame, since: float | None = None) -> None:
        """Take in the photons of one frame; frames come in the order that the file is to have.

        Args:
            frame: number in the camera's series.
            result: what was found.
            since: when it came, monotonic [s]; None: now.
        """
        with self._lock:
            self.searched = True
            self._tally.add(result)
            self._energies.add(result.photons.energy)
            self._largest.add(result.photons.energy)
            status = FrameStatus.SEARCHED if result.write else FrameStatus.NOT_SEARCHED
            status = FrameStatus.TOO_DENSE if result.skipped else status
            photons = result.photons if status is FrameStatus.SEARCHED else None
            self._note(FrameRow(frame, status, photons, result.settings), since)

    def miss(self, frame: int | None, status: FrameStatus) -> None:
        """Take note of a frame of this scan in which no photons were searched.

        Args:
            frame: number in the camera's series; None: not known, it follows the newest.
            status: why.
        """
        with self._lock:
            if frame is not None:
                self._note(FrameRow(frame, status))
                return
            frame = self._ledger.newest + 1
            self._ledger.fail(frame)
            self._file.put(FrameRow(frame, status))

    def lose(self, frames: int) -> None:
        """Take note that so many frames behind the newest will not come."""
        with self._lock:
            self._fill_gap(self._ledger.newest + 1 + frames)

    def queue(self, queue: Queue) -> None:
        """Take note of results that wait for an earlier event."""
        with self._lock:
            self._queue = queue

    def go_beyond(self, frame: int) -> None:
        """Take note that the event in which the series should have ended brought a frame."""
        with self._lock:
            self._ledger.go_beyond(frame)

    def end(self) -> None:
        """Take note that the series has ended, and everything before its end is in."""
        with self._lock:
            self._ledger.end()

    def update(self, settings: Settings) -> None:
        """Take over changed settings: limits and histogram hold for the whole scan."""
        with self._lock:
            self._settings = settings
            self._file.update(settings)

    def flush(self) -> None:
        """Write what has come, and look whether the file stands; it is done anyway, but later."""
        with self._lock:
            self._file.flush()

    def close(self, ended: bool) -> None:
        """Close the file once all is written; may be called again.

        Args:
            ended: the scan has come to its end.
        """
        with self._lock:
            self._file.end()
            if self._file.begun:
                self._ledger.update(self._file.facts)
                self._file.close(ended and not self._ledger.never_came)

    def make_room(self, timeout: float) -> None:
        """Wait while many photons wait for the disk, at most so long [s]."""
        self._file.make_room(timeout)

    def wait(self, timeout: float) -> bool:
        """Wait until all that came is written, at most so long [s]; return whether it is."""
        return self._file.wait(timeout)

    def safety(self, now: float | None = None) -> Safety:
        """Say whether every frame is safe somewhere.

        Args:
            now: monotonic time [s]; None: that of the clock.
        """
        with self._lock:
            return self._judge(trust.distrust(self._tally.evidence, self._settings), now)

    def _judge(self, quality: str, now: float | None = None) -> Safety:
        now = self._clock() if now is None else now
        return self._ledger.judge(now, self._file.facts, quality, self._queue)

    @property
    def save_raw(self) -> int | None:
        """The header's `save_raw`, where it has one."""
        value = None if self._start is None else self._start.camera.get("save_raw")
        return int(value) if isinstance(value, bool) else None

    @property
    def path(self) -> str:
        """The photon file; empty before it stands."""
        return self._file.path

    def publish(self) -> tuple[snapshot.Photons, snapshot.EnergyHistogram]:
        """Return what is published of the photons, and of their energies."""
        with self._lock:
            energy, counts = self._histogram()
            evidence = self._tally.evidence
            quality = trust.distrust(evidence, self._settings)
            safety = self._judge(quality)
            share = evidence.pileup / evidence.photons if evidence.photons else math.nan
            photons = snapshot.Photons(
                count=evidence.photons,
                skipped_frames=evidence.skipped_frames,
                trusted=int(not (quality or safety.trouble or safety.stalled)),
                may_drop_raw=int(safety.may_drop_raw),
                reason=safety.reason,
                filename=self.path,
                untrusted_frames=str(self._untrusted_frames(evidence, safety)),
                pileup_fraction=share,
                hit_density=self._tally.density,
                save_raw=self.save_raw,
            )
        return photons, snapshot.EnergyHistogram(energy=energy, counts=counts)

    def largest_energies(self) -> NDArray[np.float64]:
        """Return the largest energy of each frame that was searched ``(frame,)`` [ADU]."""
        with self._lock:
            return self._largest.values

    def alarms(self) -> list[str]:
        """Return a sentence for each thing that went wrong and that somebody should fix."""
        with self._lock:
            trouble = self.safety().trouble
            beam = trust.alarms(self._tally.evidence, self._settings)
            return [trouble, *beam] if trouble else beam

    def _note(self, row: FrameRow, since: float | None = None) -> None:
        """Give a frame its row in the file, and those that it shows to be missing before it."""
        self._fill_gap(row.frame)
        self._ledger.note(row.frame, row.status, self._clock() if since is None else since)
        self._file.put(row)

    def _fill_gap(self, end: int) -> None:
        """Account for frames that did not come, up to the one before `end`."""
        first = self._ledger.newest + 1
        self._ledger.lose_before(end)
        if end - first <= _MAX_GAP:
            for frame in range(first, end):
                self._file.put(FrameRow(frame, FrameStatus.NEVER_CAME))

    def _histogram(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        settings = self._settings
        return self._energies.histogram(
            settings.histogram_min, settings.histogram_max, settings.histogram_bins
        )

    def _untrusted_frames(self, evidence: trust.Evidence, safety: Safety) -> FrameRanges:
        """Return the frames that have no trusted photons in a file."""
        if trust.pileup_share(evidence) > self._settings.max_pileup:
            return self._ledger.frames
        return safety.unsafe.union(safety.waiting) if safety.trouble else safety.unsafe
