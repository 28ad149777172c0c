"""The reducer's work outside of the path of results: files and the azimuthal curve."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from pipeline.protocols.tree import leaves
from pipeline.reducer.accumulation import Sum
from pipeline.reducer.journal import MakeJournal, no_journal
from pipeline.reducer.live_integration import LiveIntegration
from pipeline.reducer.publisher import Publisher
from pipeline.reducer.state import ReducerState
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
_MAX_UNSAVED = 3
"""Sums that are kept in memory until they are saved; a Balor's takes 135 MB."""


class Background:
    """Runs in the timer's thread; takes the lock only to copy and to publish."""

    def __init__(
        self,
        state: ReducerState,
        publisher: Publisher,
        integration: LiveIntegration,
        saver: SumSaver,
        make_journal: MakeJournal = no_journal,
    ) -> None:
        self._state = state
        self._publisher = publisher
        self._integration = integration
        self._saver = saver
        # A full Balor image takes seconds to compress; photons must reach their file meanwhile.
        self._saving = ThreadPoolExecutor(1, "femtomax-save")
        self._quiet: tuple[int, float] = (0, 0.0)
        self._unsaved: list[Sum] = []
        self._last_try = 0.0
        self._photon_state: object = None
        self._journal = make_journal(lambda: tuple(self._unsaved))
        self._journal.start()

    def do_due_work(self, now: float) -> None:
        """Give up lost events, write photons, save sums, integrate; `now` is monotonic [s]."""
        self._state.watch(now)
        self.close_files()
        for scan in self._state.scans():
            if scan.photons is not None:
                scan.photons.flush()
        self._save_ended(now)
        curve = self._integration.integrate_if_due(now)
        if curve is not None:
            self._publisher.show_curve(curve)
        self._publisher.show_alarms([*self._saver.alarms(), *self._journal.alarms()])
        self._show_photons()

    def close_files(self) -> None:
        """Close the photon files of scans that have ended."""
        closing = self._state.take_closing()
        for photons, complete in closing:
            photons.close(complete)
        until = time.monotonic() + _CLOSING
        for photons, _ in closing:
            photons.wait(max(0.0, until - time.monotonic()))
        if closing:
            self._state.note_closed()

    def close(self) -> None:
        """Save the sum that still grows, and close files."""
        accumulation = self._state.accumulation
        with self._state.lock:
            current = [accumulation.current] if accumulation.current else []
            left = dict.fromkeys([*self._unsaved, *accumulation.take_ended(), *current])
        for total in left:
            self._saving.submit(self._save, total)
        self._saving.shutdown(wait=True)
        for scan in self._state.scans():
            if scan.photons is not None:
                scan.photons.close(scan.ended)
                scan.photons.wait(_GIVEN_UP)
        self._journal.close()

    def _save_ended(self, now: float) -> None:
        with self._state.lock:
            due = self._state.accumulation.take_ended(before=now - _GRACE)
            stopped = self._stopped_sum(now)
            self._unsaved = [s for s in self._unsaved if s.saved_count != s.count]
            if now - self._last_try > _RETRY:
                self._last_try = now
                due = [*self._unsaved, *due]
            due += [stopped] if stopped else []
            # A sum that is taken out must not be missing in the journal for a moment.
            for total in due:
                self._keep(total)
        for total in due:
            self._saving.submit(self._save, total)

    def _keep(self, total: Sum) -> None:
        """Keep a sum until it is saved; the oldest is dropped when too many wait."""
        if total in self._unsaved:
            return
        self._unsaved.append(total)
        if len(self._unsaved) > _MAX_UNSAVED:
            dropped = self._unsaved.pop(0)
            if self._saver.must_save(dropped):
                self._state.fail(f"A sum of {dropped.count} frames was dropped unsaved.")

    def _save(self, total: Sum) -> None:
        try:
            self._saver.save(total)
        except Exception as error:
            logger.exception("a sum could not be saved")
            what = f"{type(error).__name__}: {error}"
            self._state.fail(f"A sum of {total.count} frames was not saved: {what}")

    def _stopped_sum(self, now: float) -> Sum | None:
        """Return the sum when accumulation was stopped and nothing more came for a while."""
        current = self._state.accumulation.current
        if current is None or self._state.settings.accumulate:
            self._quiet = (0, now)
            return None
        if self._quiet[0] != current.count:
            self._quiet = (current.count, now)
        waited = now - self._quiet[1] > _GRACE
        return current if waited and current.saved_count != current.count else None

    def _show_photons(self) -> None:
        """Publish what the photon file says: it stands or fails when it is flushed."""
        with self._state.lock:
            scan = self._state.scan
            photons = None if scan is None else scan.photons
            state = None
            if photons is not None:
                published, _ = photons.publish()
                state = photons.alarms(), leaves(published), self._state.files_closed
            if state != self._photon_state:
                self._photon_state = state
                self._state.mark_changed()
