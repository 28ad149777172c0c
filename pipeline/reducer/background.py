"""The reducer's work outside of the path of results: files and the azimuthal curve."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.reducer.accumulation import Sum
from pipeline.reducer.live_integration import LiveAzimuthal
from pipeline.reducer.publisher import Publisher
from pipeline.reducer.state import ReducerStore
from pipeline.reducer.sum_saver import SumSaver

logger = logging.getLogger(__name__)

_GRACE = 1.0
"""An ended sum may still get frames from a worker that is behind for so long [s]."""
_CLOSING = 1.0
"""Results wait at most so long for photon files to be closed [s]; afterwards these go on alone."""
_GIVEN_UP = 10.0
"""The end of the process waits at most so long for a photon file [s]."""
_RETRY = 10.0
"""How often it is tried again to save a sum [s]."""
_KEPT = 3
"""Sums that are kept in memory until they are saved; a Balor's takes 135 MB."""


class ReducerTasks:
    """Runs in the timer's thread; takes the lock only to look and to publish."""

    def __init__(self, store: ReducerStore, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher
        self._azimuthal = LiveAzimuthal(store)
        self._saver = SumSaver(store)
        # A full Balor image takes seconds to compress; photons must reach their file meanwhile.
        self._saving = ThreadPoolExecutor(1, "femtomax-save")
        publisher.settled = lambda: store.files_closed and self._azimuthal.settled()
        self._quiet: tuple[int, float] = (0, 0.0)
        self._unsaved: list[Sum] = []
        self._last_try = 0.0
        self._photon_state: object = None

    def run(self, now: float) -> None:
        """Do what is due.

        Args:
            now: monotonic time [s].
        """
        self._store.watch(now)
        self.close_files()
        for scan in self._store.scans():
            if scan.photons is not None:
                scan.photons.flush()
        self._save_ended(now)
        groups = self._azimuthal.update(now)
        self._publish(groups)

    def close_files(self) -> None:
        """Close the photon files of scans that have ended."""
        closing = self._store.take_closing()
        for photons, complete in closing:
            photons.close(complete)
        until = time.monotonic() + _CLOSING
        for photons, _ in closing:
            photons.wait(max(0.0, until - time.monotonic()))
        if closing:
            self._store.note_closed()

    def close(self) -> None:
        """Save the sum that still grows, and close files."""
        accumulation = self._store.accumulation
        with self._store.lock:
            current = [accumulation.current] if accumulation.current else []
            left = dict.fromkeys([*self._unsaved, *accumulation.ended, *current])
        for total in left:
            self._saving.submit(self._save, total)
        self._saving.shutdown(wait=True)
        for scan in self._store.scans():
            if scan.photons is not None:
                scan.photons.close(scan.ended)
                scan.photons.wait(_GIVEN_UP)

    def _save_ended(self, now: float) -> None:
        accumulation = self._store.accumulation
        with self._store.lock:
            due = [s for s in accumulation.ended if now - s.ended_at > _GRACE]
            accumulation.ended = [s for s in accumulation.ended if s not in due]
            stopped = self._stopped_sum(now)
            self._unsaved = [s for s in self._unsaved if s.saved_count != s.count]
            if now - self._last_try > _RETRY:
                self._last_try = now
                due = [*self._unsaved, *due]
        for total in [*due, *([stopped] if stopped else [])]:
            self._keep(total)
            self._saving.submit(self._save, total)

    def _keep(self, total: Sum) -> None:
        """Keep a sum until it is saved; the oldest is let go when too many wait."""
        if total in self._unsaved:
            return
        self._unsaved.append(total)
        if len(self._unsaved) > _KEPT:
            lost = self._unsaved.pop(0)
            if self._saver.wanted(lost):
                with self._store.lock:
                    self._store.health.fail(f"A sum of {lost.count} frames was let go unsaved.")

    def _save(self, total: Sum) -> None:
        try:
            self._saver.save(total)
        except Exception as error:
            logger.exception("a sum could not be saved")
            with self._store.lock:
                what = f"{type(error).__name__}: {error}"
                self._store.health.fail(f"A sum of {total.count} frames was not saved: {what}")
                self._store.revision += 1

    def _stopped_sum(self, now: float) -> Sum | None:
        """Return the sum when accumulation was stopped and nothing more came for a while."""
        accumulation = self._store.accumulation
        current = accumulation.current
        if current is None or self._store.settings.accumulate:
            self._quiet = (0, now)
            return None
        if self._quiet[0] != current.count:
            self._quiet = (current.count, now)
        waited = now - self._quiet[1] > _GRACE
        return current if waited and current.saved_count != current.count else None

    def _publish(self, groups: dict[str, dict[str, Any]] | None) -> None:
        publisher = self._publisher
        alarms = self._saver.alarms()
        with self._store.lock:
            if groups is not None:
                publisher.extra = groups
                self._store.revision += 1
            if alarms != publisher.alarms:
                publisher.alarms = alarms
                self._store.revision += 1
            photons = self._store.scan.photons if self._store.scan is not None else None
            state = (
                None
                if photons is None
                else (
                    photons.alarms(),
                    photons.publish()["photons"],
                    self._store.files_closed,
                )
            )
            if state != self._photon_state:
                # A file stands or fails when it is flushed, not when results come.
                self._photon_state = state
                self._store.revision += 1
