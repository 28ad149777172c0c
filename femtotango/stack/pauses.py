"""Pauses before the restart of what ends again and again; each process has its own."""

_CALM = 60.0
"""A process that lived as long is restarted at once when it ends [s]."""
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 30.0


class Pauses:
    """Says when a process that has ended may be restarted; the caller brings the clock [s]."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._pause: dict[str, float] = {}
        self._due: dict[str, float] = {}

    def begin(self, name: str, now: float) -> None:
        """Note an attempt to start a process, whether it succeeds or not."""
        self._begun[name] = now
        self._due.pop(name, None)

    def is_over(self, name: str, now: float) -> bool:
        """Tell whether a process that has ended may be started again.

        Args:
            name: of a process that was started before.
            now: time at which it is known to have ended.
        """
        if name not in self._due:
            lived = now - self._begun[name]
            pause = 0.0 if lived > _CALM else self._pause.get(name, 0.0)
            self._pause[name] = min(_LONGEST_PAUSE, 2 * pause or _FIRST_PAUSE)
            self._due[name] = now + pause
        return now >= self._due[name]
