"""The reducer's work outside of the path of results: files and the azimuthal curve."""

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor

from pipeline.protocols.tree import leaves
from pipeline.reducer.journal_open import MakeJournal, no_journal
from pipeline.reducer.live_integration import LiveIntegration
from pipeline.reducer.publisher import Publisher
from pipeline.reducer.state import ReducerState
from pipeline.reducer.sum_queue import SumQueue
from pipeline.reducer.sum_saver import SumSaver

logger = logging.getLogger(__name__)

_CLOSING = 1.0
"""Results wait at most so long for photon files to be closed [s]; afterwards these go on alone."""
_GIVEN_UP = 10.0
"""The end of the process waits at most so long for a photon file [s]."""


class Background:
    """Runs in the timer's thread; takes the lock only to copy and to publish.

    What may take long has a thread of its own: the timer also gives up events that do not come.
    """

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
        self._sums = SumQueue(state, saver)
        # The first curve of a geometry takes seconds.
        self._curves = ThreadPoolExecutor(1, "femtomax-curve")
        self._curve: Future[None] | None = None
        self._photon_state: object = None
        self._journal = make_journal(lambda: self._sums.unsaved)
        self._journal.start()

    def do_due_work(self, now: float) -> None:
        """Give up lost events, close files, save sums, integrate; `now` is monotonic [s]."""
        self._state.watch(now)
        self.close_files()
        self._sums.save_due(now)
        if self._curve is None or self._curve.done():
            self._curve = self._curves.submit(self._integrate, now)
        self._publisher.show_alarms([*self._sums.alarms(), *self._journal.alarms()])
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
        """Save the sum that still grows, and close files; may be called again."""
        self._sums.close()
        for scan in self._state.scans():
            if scan.photons is not None:
                scan.photons.close(scan.photons_ended)
                scan.photons.wait(_GIVEN_UP)
        self._journal.close()

    def _integrate(self, now: float) -> None:
        try:
            self._integration.integrate_if_due(now, self._publisher.show_curve)
        except Exception as error:
            logger.exception("the image could not be integrated")
            self._state.fail(f"azimuthal curve: {type(error).__name__}: {error}")

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
