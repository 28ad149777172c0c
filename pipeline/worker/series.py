"""Which cameras' series have begun in a trigger map, as one worker sees it.

A detector whose socket was blocked sends the rest of an aborted series when the next scan listens.
Those messages come before the camera's header of that scan, and so they are told apart.
"""


class Series:
    """Follows the series of each camera; made anew for each trigger map."""

    def __init__(self) -> None:
        self._running: set[str] = set()

    def begin(self, stream: str) -> None:
        """Note a header: it goes to all workers, before any frame of its series."""
        self._running.add(stream)

    def end(self, stream: str) -> None:
        """Note the end of a series; what comes behind it belongs to no series of this map."""
        self._running.discard(stream)

    def has_begun(self, stream: str) -> bool:
        """Say whether a message of that camera belongs to a series of this map."""
        return stream in self._running


class AnySeries(Series):
    """Takes every message: in a replay not all workers get the headers, and nothing is late."""

    def has_begun(self, stream: str) -> bool:
        """Return True."""
        return True
