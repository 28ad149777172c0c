"""Which events take only a moment: they need no thread of their own.

A change of thread for each event, and back, costs a fifth of what a worker does with a Pilatus
frame, on a busy machine more. Only what may last, as a file on a disk that hangs or a kernel that
has to be compiled, must not hold up the loop that tells the controller that the worker lives.
"""

from collections.abc import Iterable

_MOMENT = 0.02
"""What takes only a moment took at most so long before [s]."""


class Moments:
    """Foresees from the frames before whether those of the next event take only a moment."""

    def __init__(self) -> None:
        self._short: set[str] = set()
        """Streams whose newest event took only a moment."""

    def foresees(self, streams: Iterable[str]) -> bool:
        """Say whether an event with messages of these streams takes only a moment."""
        return self._short.issuperset(streams)

    def note(self, streams: Iterable[str], took: float, plain: bool) -> None:
        """Note an event that is done.

        Args:
            streams: of its messages.
            took: time that passed [s].
            plain: it gave what frames give, and nothing more.
        """
        if not plain:
            # After the start of a series, frames may be of another kind.
            self._short.clear()
        elif took <= _MOMENT:
            self._short.update(streams)
        else:
            self._short.difference_update(streams)
