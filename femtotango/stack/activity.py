"""Whether a process does anything at all: one that is only busy is not taken for one that hangs."""

import psutil

_NOTHING = 0.015
"""Processor time that threads in the background take while the process hangs [s]; the clock of the
kernel has steps of 0.01 s."""
_WAITS = (psutil.STATUS_SLEEPING, psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
"""Neither ready to run nor kept by a disk."""


class Activity:
    """Compares the processor time of a process between two questions."""

    def __init__(self, pid: int) -> None:
        """Begin with a process that is there.

        Args:
            pid: of the process.
        """
        self._pid = pid
        self._taken: float | None = None

    def is_still(self) -> bool:
        """Tell whether it has neither run since the last question nor wants to run now.

        One that has ended, or that nothing is known of yet, is not still.
        """
        before = self._taken
        try:
            process = psutil.Process(self._pid)
            times, status = process.cpu_times(), process.status()
        except psutil.Error:
            self._taken = None
            return False
        self._taken = times.user + times.system
        return before is not None and status in _WAITS and self._taken - before < _NOTHING
