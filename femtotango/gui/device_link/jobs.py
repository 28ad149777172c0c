"""Work for the Tango thread: calls to the device, the newest of each kind only."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tango


@dataclass(frozen=True)
class Job:
    """One call to the device, made in the Tango thread and answered in the window's."""

    key: str
    """A waiting job with the same key is replaced by this one."""
    run: Callable[[tango.DeviceProxy], Any]
    done: Callable[[Any], None] | None = None
    """Gets what `run` returned."""
    rereads: tuple[str, ...] = ()
    """Attributes that it may have changed: read again after it, whether it succeeded or not."""
    failed: Callable[[str], None] | None = None
    """Gets the text when the device refused, or was away; without it the window shows the text."""


class JobQueue:
    """First in, first out; a job replaces a waiting one of the same key, in its place."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._closed = False

    def put(self, job: Job) -> Job | None:
        """Add a job, or replace the waiting one with its key.

        Returns:
            The job that was replaced, which will not be done.
        """
        with self._condition:
            replaced = self._jobs.get(job.key)
            self._jobs[job.key] = job
            self._condition.notify()
            return replaced

    def get(self, timeout: float) -> Job | None:
        """Return the next job, or None when none came within the time [s], or after `close`."""
        with self._condition:
            if not self._jobs and not self._closed:
                self._condition.wait(timeout)
            if not self._jobs or self._closed:
                return None
            return self._jobs.popitem(last=False)[1]

    def close(self) -> None:
        """Wake up who waits; from now on nothing is handed out."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed
