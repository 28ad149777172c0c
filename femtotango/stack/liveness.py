"""What hangs is found and killed, so that it is restarted like what has ended."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType

from femtotango.stack.activity import Activity
from femtotango.stack.processes import Process

_LOOK = 1.0
"""Pause between two looks [s]."""
_LOOK_AGAIN = 0.4
"""The same while somebody has not answered [s]."""
_START_PATIENCE = 90.0
"""How long a process may take to answer for the first time [s]."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long a process may not answer."""

    busy: float
    """One that runs [s]."""
    still: float
    """One that does nothing at all, while a question would wake one that is well [s]."""


class Silence:
    """Adds up how long a process has not answered.

    Only looks that found no answer count, and each of them for a third of the bound at most: it
    takes three in a row, however long this process itself was kept from looking.

    One that is busy may be silent as long as the patience is. One that does nothing at all hangs
    sooner: after two looks without an answer, when it has been still for long enough by then, and
    silent for half of that time.
    """

    def __init__(self, patience: Patience, has_answered: bool = False) -> None:
        """Begin with a process that has just been started.

        Args:
            patience: how long it may be silent once it has answered.
            has_answered: it has.
        """
        self._patience = self._limits = patience
        if not has_answered:
            start = max(patience.busy, _START_PATIENCE)
            self._limits = Patience(start, start)
        self.seconds = 0.0
        self._still = 0.0
        self._unanswered = 0

    def take(self, answered: bool, elapsed: float, still: bool = False) -> bool:
        """Take the outcome of one look, and tell whether the process hangs.

        Args:
            answered: it did.
            elapsed: since the look before [s].
            still: it has not run since the look before; see `Activity`.
        """
        self._still = self._still + min(elapsed, self._patience.still / 3) if still else 0.0
        if answered:
            self._limits = self._patience
            self.seconds, self._unanswered = 0.0, 0
            return False
        self.seconds += min(elapsed, self._patience.busy / 3)
        self._unanswered += 1
        asked = self._unanswered > 1 and self.seconds >= self._limits.still / 2
        hangs = asked and self._still >= self._limits.still
        return hangs or self.seconds >= self._limits.busy


class Watchdog:
    """Kills processes that do not answer any more, in a thread of its own; a context manager."""

    def __init__(
        self,
        processes: Callable[[], Mapping[str, Process]],
        look: Callable[[], Mapping[str, bool]],
        patience: Patience,
        say: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        """Take what the watchdog depends on; it begins to look when the context is entered.

        Args:
            processes: gives those that run now; those at the beginning of the watch have answered.
            look: asks them, and tells by name who has answered; who is not named cannot be known.
            patience: how long a process may be silent.
            say: shows one sentence to the user.
            stop: set from outside when nothing must be killed any more.
        """
        self._processes = processes
        self._look = look
        self._patience = patience
        self._say = say
        self._stop = stop
        self._left = threading.Event()
        self._silence: dict[Process, Silence] = {}
        self._activity: dict[Process, Activity] = {}
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        self._silence = {p: Silence(self._patience, True) for p in self._processes().values()}
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left.set()
        self._thread.join()

    def _run(self) -> None:
        last = time.monotonic()
        pause = _LOOK
        while not self._left.wait(pause) and not self._stop.is_set():
            now = time.monotonic()
            try:
                pause = _LOOK if self._look_once(now - last) else min(_LOOK, _LOOK_AGAIN)
            except Exception as error:
                logger.exception("the watchdog goes on")
                self._say(f"Unexpected error while looking for what hangs; it goes on: {error!r}")
            last = now

    def _look_once(self, elapsed: float) -> bool:
        """Ask all, kill what hangs, and tell whether all have answered."""
        running = dict(self._processes())
        answered = self._look()
        silence, activity = self._silence, self._activity
        self._silence = {p: silence.get(p) or Silence(self._patience) for p in running.values()}
        self._activity = {p: activity.get(p) or Activity(p.pid) for p in running.values()}
        for name, process in running.items():
            still = self._activity[process].is_still()
            if name not in answered or not process.alive:
                continue
            counted = self._silence[process]
            if counted.take(answered[name], elapsed, still) and not self._stop.is_set():
                self._say(f"{name} has not answered for {counted.seconds:.0f} s: it is killed.")
                process.kill()
        return all(answered.values())
