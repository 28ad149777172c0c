"""Calls to the device that wait for the Tango thread; only the newest of each kind is kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tango


class ChangedElsewhere(ValueError):
    """Another client has changed it since; undoing would undo that as well."""


@dataclass(frozen=True)
class Job:
    """One call to the device, made in the Tango thread.

    That thread may drop the last reference to it, so it holds nothing of Qt; who waits for the
    answer is known in the window's thread only.
    """

    key: str
    """A waiting job with the same key is replaced by this one."""
    run: Callable[[tango.DeviceProxy], Any]
    rereads: tuple[str, ...] = ()
    """Attributes that it may have changed: read again after it, even when it failed."""
    number: int = 0
    """For the answer."""


class JobQueue:
    """First in, first out; a job takes the place of a waiting one with the same key."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._closed = False

    def put(self, job: Job) -> Job | None:
        """Add a job, or replace the waiting one with its key.

        Returns:
            The job that was replaced and will not be done.
        """
        with self._condition:
            replaced = self._jobs.get(job.key)
            self._jobs[job.key] = job
            self._condition.notify()
            return replaced

    def get(self, timeout: float) -> Job | None:
        """Return the next job; None when none came within the timeout [s], or after `close`."""
        with self._condition:
            if not self._jobs and not self._closed:
                self._condition.wait(timeout)
            if not self._jobs or self._closed:
                return None
            return self._jobs.popitem(last=False)[1]

    def close(self) -> None:
        """Wake up `get`; from now on it returns None."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed
