"""Which results wait for others: those of fast events travel together."""

import math

_FAST = 0.05
"""Events that come closer than this are fast [s]; the beamline's own 10 Hz are not."""
_TOGETHER = 8
"""At most so many results of fast events are sent together,"""
_HOLD = 0.1
"""and none later than this [s]."""


class Together:
    """Decides for each event of a worker whether its result waits for later ones."""

    def __init__(self) -> None:
        self.due: float | None = None
        """Monotonic time at which results that wait must be sent [s]; None: none waits."""
        self._newest = -math.inf
        """Monotonic time of the newest event [s]."""

    def waits(self, now: float, held: int, may_wait: bool) -> bool:
        """Say whether the result of an event waits; else all that wait are sent with it.

        Args:
            now: monotonic time [s].
            held: how many results wait, with this one.
            may_wait: somebody sends it when it is due, and nobody needs it before.
        """
        fast, self._newest = now - self._newest < _FAST, now
        if not (may_wait and fast) or held >= _TOGETHER:
            return False
        if self.due is None:
            self.due = now + _HOLD
        return True

    def send(self) -> None:
        """Note that all results are sent."""
        self.due = None
