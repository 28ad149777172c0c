"""Polls of the results, one after the other, and who waits for a whole one."""

import threading

_WHOLE = 5.0
"""The longest that a whole poll is waited for [s]."""


class Polls:
    """Lets one thread poll, and others wait for a poll that begins from now on.

    Args:
        closing: set when nobody may wait any more.
    """

    def __init__(self, closing: threading.Event) -> None:
        self._closing = closing
        self._now = threading.Event()
        self._changed = threading.Condition()
        self._begun = 0
        self._done = 0

    def wait_for_whole(self) -> None:
        """Have a poll begin at once, and wait until it is done."""
        with self._changed:
            # A poll that is under way may have begun too early.
            wanted = self._begun + 1
            self._now.set()
            self._changed.wait_for(lambda: self._done >= wanted or self._closing.is_set(), _WHOLE)

    def begin(self) -> bool:
        """Begin a poll; return whether somebody waits for it."""
        with self._changed:
            self._begun += 1
            waited_for = self._now.is_set()
            self._now.clear()
            return waited_for

    def end(self) -> None:
        """End the poll."""
        with self._changed:
            self._done = self._begun
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait for the next poll's time, or until it is to begin at once."""
        self._now.wait(max(0.0, seconds))

    def wake(self) -> None:
        """End the pause."""
        self._now.set()
