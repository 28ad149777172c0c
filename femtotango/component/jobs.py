"""One thread for jobs that come one after the other, and end with the device."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from femtotango.errors import Interrupted

_END = 5.0
"""A device that ends waits so long for the job under way, which finishes its request [s]."""

T = TypeVar("T")


class Jobs:
    """Does jobs in the order in which they are submitted."""

    def __init__(self, name: str, closing: threading.Event) -> None:
        """Begin without a thread; the first job starts it.

        Args:
            name: of the thread.
            closing: set when no job may begin any more.
        """
        self._executor = ThreadPoolExecutor(1, name)
        self._closing = closing

    def submit(self, job: Callable[..., T], *arguments: Any) -> "Future[T]":
        """Have a job done after those before it.

        Raises:
            Interrupted: the device ends; the future raises it too where the job did not begin.
        """
        try:
            return self._executor.submit(self._unless_closing, job, *arguments)
        except RuntimeError as error:
            raise Interrupted from error

    def _unless_closing(self, job: Callable[..., T], *arguments: Any) -> T:
        if self._closing.is_set():
            raise Interrupted
        return job(*arguments)

    def close(self) -> None:
        """Wait for the job under way; those behind it are not begun."""
        self._closing.set()
        last = self._executor.submit(lambda: None)
        self._executor.shutdown(wait=False)
        wait([last], _END)
