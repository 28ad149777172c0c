"""Which sums wait to be saved: a few at most, one saved at a time, tried again now and then."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.files.atomic import FileError
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.state import ReducerState
from pipeline.reducer.sum_saver import SumSaver

logger = logging.getLogger(__name__)

_GRACE = 1.0
"""An ended sum may still get frames from a worker that is behind for so long [s]."""
_RETRY = 10.0
"""How often it is tried again to save a sum [s]."""
_MAX_UNSAVED = 3
"""Sums of a camera that are kept in memory until they are saved; a Balor's takes 135 MB."""


@dataclass(eq=False)
class _Unsaved:
    """A sum that waits for its turn, or for the next try."""

    total: Sum
    next_try: float
    """Monotonic time [s]."""
    error: str = ""
    """Why the last try failed."""


class SumQueue:
    """Saves sums outside of the path of results; called from the timer's thread."""

    def __init__(self, state: ReducerState, saver: SumSaver) -> None:
        self._state = state
        self._saver = saver
        # A full Balor image takes seconds to compress; photons must reach their file meanwhile.
        self._thread = ThreadPoolExecutor(1, "femtomax-save")
        self._unsaved: list[_Unsaved] = []
        self._running: tuple[_Unsaved, Future[None]] | None = None
        self._quiet: dict[tuple[int, int], float] = {}
        """By number and frames of a sum, since when it has not grown [s]."""
        self._dropped: list[int] = []
        """Frames of the sums that were dropped since the last one was saved."""

    def __len__(self) -> int:
        return len(self._unsaved)

    def save_due(self, now: float) -> None:
        """Begin to save the next sum whose turn it is; `now` is monotonic [s]."""
        with self._state.lock:
            for total in self._state.accumulation.take_ended(before=now - _GRACE):
                self._append(total, now)
            for stopped in self._stopped_sums(now):
                self._append(stopped, now)
            if self._running is not None and self._running[1].done():
                self._running = None
            self._unsaved = [entry for entry in self._unsaved if self._must_wait(entry)]
            due = [entry for entry in self._unsaved if entry.next_try <= now]
            if not self._unsaved:
                self._dropped.clear()
        if due and self._running is None:
            entry = due[0]
            entry.next_try = now + _RETRY
            self._running = entry, self._thread.submit(self._save, entry)

    @property
    def unsaved(self) -> tuple[Sum, ...]:
        """The sums that wait to be saved; call it under the state's lock."""
        return tuple(entry.total for entry in self._unsaved)

    def wait(self) -> None:
        """Wait until nothing is being saved."""
        self._thread.submit(int).result()

    def alarms(self) -> list[str]:
        """Return what could not be saved."""
        alarms = [entry.error for entry in self._unsaved if entry.error][-1:]
        if self._dropped:
            frames = ", ".join(map(str, self._dropped[-_MAX_UNSAVED:]))
            alarms.append(
                f"{len(self._dropped)} older sums were dropped unsaved (frames in the last of "
                f"them: {frames})."
            )
        return alarms

    def close(self) -> None:
        """Save what is left, and the sum that still grows; may be called again."""
        # Here, not in the queue's thread: no thread takes work while the interpreter ends.
        self._thread.shutdown(wait=True)
        accumulation = self._state.accumulation
        with self._state.lock:
            waiting = [entry.total for entry in self._unsaved]
            left = dict.fromkeys([*waiting, *accumulation.take_ended(), *accumulation.growing])
        for total in left:
            self._save(_Unsaved(total, 0.0))

    def _append(self, total: Sum, now: float) -> None:
        """Let a sum wait; the oldest that is not just being saved is dropped when too many do."""
        if not self._saver.must_save(total):
            total.saved_count = total.count
            self._state.note_saved(total)
            return
        if any(entry.total is total for entry in self._unsaved):
            return
        self._unsaved.append(_Unsaved(total, now))
        same = [entry for entry in self._unsaved if entry.total.stream == total.stream]
        if len(same) > _MAX_UNSAVED:
            busy = None if self._running is None else self._running[0]
            dropped = next(entry for entry in same if entry is not busy)
            self._unsaved.remove(dropped)
            self._dropped.append(dropped.total.count)
            self._state.fail(
                f"A sum of {dropped.total.count} frames was dropped unsaved, because "
                f"{_MAX_UNSAVED} newer ones wait. {dropped.error or 'The disk is too slow.'}"
            )

    def _must_wait(self, entry: _Unsaved) -> bool:
        busy = self._running is not None and self._running[0] is entry
        return busy or self._saver.must_save(entry.total)

    def _save(self, entry: _Unsaved) -> None:
        try:
            self._saver.save(entry.total)
        except FileError as error:
            self._note(entry, str(error))
        except Exception as error:
            logger.exception("a sum could not be saved")
            self._note(entry, f"{type(error).__name__}: {error}")
        else:
            entry.error = ""
            self._dropped.clear()

    def _note(self, entry: _Unsaved, error: str) -> None:
        entry.error = f"A sum of {entry.total.count} frames was not saved: {error}"
        logger.error(entry.error)
        self._state.fail(entry.error)

    def _stopped_sums(self, now: float) -> list[Sum]:
        """Return the sums when accumulation was stopped and nothing more came for a while."""
        growing = self._state.accumulation.growing
        if self._state.settings.accumulate:
            growing = ()
        # One that has grown since it was looked at is new here.
        self._quiet = {
            (total.number, total.count): self._quiet.get((total.number, total.count), now)
            for total in growing
        }
        return [
            total
            for total in growing
            if now - self._quiet[total.number, total.count] > _GRACE
            and total.saved_count != total.count
        ]
