"""Whether a process does anything at all: one that is only busy is not taken for one that hangs."""

from contextlib import suppress
from pathlib import Path

import psutil

_NOTHING = 0.015
"""Processor time that threads in the background take while the process hangs [s]; the clock of the
kernel has steps of 0.01 s."""
_BUSY = frozenset("RD")
"""States of a thread that is ready to run, or waits for a disk; as in proc(5)."""


class Activity:
    """Compares the processor time of a process between two questions."""

    def __init__(self, pid: int) -> None:
        """Begin with a process that is there.

        Args:
            pid: of the process.
        """
        self._pid = pid
        self._process: psutil.Process | None = None
        """Kept: to make one takes as long as ten looks at it."""
        self._taken: float | None = None

    def is_still(self) -> bool:
        """Tell whether it has not run since the last question, and no thread of it is busy now.

        One that has ended, or that nothing is known of yet, is not still.
        """
        before = self._taken
        try:
            self._process = self._process or psutil.Process(self._pid)
            times = self._process.cpu_times()
        except psutil.Error:
            self._taken = None
            return False
        self._taken = times.user + times.system
        if before is None or self._taken - before >= _NOTHING:
            return False
        return not _BUSY & self._thread_states()

    def _thread_states(self) -> set[str]:
        states = set()
        with suppress(OSError):  # it has ended meanwhile
            for thread in Path(f"/proc/{self._pid}/task").iterdir():
                with suppress(OSError):
                    stat = Path(thread, "stat").read_bytes()
                    # The name of a thread is in brackets, and may hold any character.
                    states.add(stat.rpartition(b")")[2].split()[0].decode())
        return states
