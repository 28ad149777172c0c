"""Which frames belong to which motor step: the record's frame numbers tell, else the order."""

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from typing import Any

from pipeline.protocols.sardana import frame_range

_KEPT_STEPS = 1000
"""Steps to which a frame that comes late can still be added."""


class StepFrames:
    """Keeps the ROI means of frames until the record of their step comes.

    A frame takes the next free event of the trigger map, so a lost frame moves all that follow one
    event forward, and an extra one moves them back. Their numbers do not move: a record that says
    which numbers are its own gets these and no others.
    """

    def __init__(self) -> None:
        self._frames: dict[int, tuple[int, Mapping[str, float]]] = {}
        """Event and ROI means of each frame, by its number or its place."""
        self._first: int | None = None
        self._last = -1
        self._closed: deque[tuple[int, tuple[int, int] | None]] = deque(maxlen=_KEPT_STEPS)
        """Event of each record, and the frame numbers that it names."""
        self._numbered: bool | None = None
        """Whether frame numbers can be compared with those of records; None: not known yet."""

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: int, means: Mapping[str, float], event: int | None = None) -> None:
        """Keep a frame.

        Args:
            frame: its number in the series.
            means: by ROI.
            event: in which it came; None: behind all before it.
        """
        if self._first is None:
            self._first = frame
        elif frame <= self._last:
            # The camera began to count anew, at each point for example.
            self._numbered = False
        self._last = frame
        # In the order of arrival: a number that comes again must not replace the first.
        # The newest number is the highest.
        key = frame if self._numbered is not False else next(reversed(self._frames), -1) + 1
        self._frames[key] = (-1 if event is None else event, means)

    def of_another_camera(self) -> "StepFrames":
        """Return the same steps, without frames."""
        other = StepFrames()
        other._closed = self._closed.copy()
        return other

    def closed_step(self, frame: int, event: int | None) -> int | None:
        """Return the step that a frame was too late for; -1 is the newest; None: it was not.

        Args:
            frame: its number in the series.
            event: in which it came; None: behind all before it.
        """
        if not self._closed or event is None or event > self._closed[-1][0]:
            return None
        if self._numbered:
            for back, (_, numbers) in enumerate(reversed(self._closed), 1):
                if numbers is not None and numbers[0] <= frame < numbers[1]:
                    return -back
        events = [closed for closed, _ in self._closed]
        return bisect_left(events, event) - len(events)

    def take(
        self, record: Mapping[str, Any], event: int | None = None
    ) -> list[Mapping[str, float]]:
        """Return the frames of a record's step; later ones are kept for the records to come.

        Args:
            record: the whole message.
            event: in which it came; None: behind all before it.
        """
        numbers = frame_range(record)
        if event is not None:
            self._closed.append((event, numbers))
        if numbers is None or not self._can_number(numbers):
            # A record that came late finds frames of the next step.
            taken = {
                key: means
                for key, (at, means) in self._frames.items()
                if event is None or at <= event
            }
            self._frames = {k: kept for k, kept in self._frames.items() if k not in taken}
            return list(taken.values())
        begin, end = numbers
        taken = {n: means for n, (_, means) in self._frames.items() if begin <= n < end}
        self._frames = {n: kept for n, kept in self._frames.items() if n >= end}
        return list(taken.values())

    def _can_number(self, numbers: tuple[int, int]) -> bool:
        """Say whether the camera counts from the start of the scan, as the records do."""
        if self._numbered is None and self._first is not None and numbers[0] < numbers[1]:
            self._numbered = self._first < numbers[1]
        return self._numbered is not False
