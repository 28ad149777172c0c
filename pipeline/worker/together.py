"""Which results wait for others: those of fast events travel together."""

from collections import deque

_MANY = 8
"""Events are fast when so many,"""
_FAST = 0.6
"""have come within so long [s]; the beamline's own 10 Hz are not, also with one worker."""
_HOLD = 0.2
"""No result of fast events waits longer [s]."""


class Together:
    """Decides for each event of a worker whether its result waits for later ones.

    Args:
        many: so many events must come fast.
    """

    def __init__(self, many: int = _MANY) -> None:
        self.due: float | None = None
        """Monotonic time at which results that wait must be sent [s]; None: none waits."""
        self._newest: deque[float] = deque(maxlen=many)
        """Monotonic times of the newest events [s]."""

    def waits(self, now: float, may_wait: bool) -> bool:
        """Say whether the result of an event waits; else all that wait are sent with it.

        Args:
            now: monotonic time [s].
            may_wait: somebody sends it when it is due, and nobody needs it before.
        """
        self._newest.append(now)
        fast = len(self._newest) == self._newest.maxlen and now - self._newest[0] < _FAST
        if not (may_wait and fast) or (self.due is not None and now >= self.due):
            return False
        if self.due is None:
            self.due = now + _HOLD
        return True

    def send(self) -> None:
        """Note that all results are sent."""
        self.due = None
