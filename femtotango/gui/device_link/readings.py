"""The newest reading of every attribute, shared between the Tango threads and the window."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Reading:
    """One value as the device gave it."""

    value: Any = None
    """None: the attribute has no value, because the device said INVALID or was not reached."""
    time: float = 0.0
    """When the device took it, seconds since 1970; values of one snapshot carry the same."""


NO_READING = Reading()


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if type(a) is not type(b):
        return False
    return a == b or (isinstance(a, float) and a != a and b != b)


class Readings:
    """Keep the newest reading of each attribute, and what changed since the window took changes.

    However fast values arrive, one reading an attribute is kept: a slow window gets the newest
    state and never a queue.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: dict[str, Reading] = {}
        self._changed: set[str] = set()

    def put(self, name: str, reading: Reading, asked_after: Reading | None = None) -> bool:
        """Store a reading unless a newer one is there already.

        Events are ordered by the device's time stamps. An answer to a question that was asked
        when a reading was there already is newer than that one, whatever the time stamps say:
        the device's clock may be set back, and values that change within one snapshot carry its
        time.

        Args:
            name: the attribute.
            reading: its value and time.
            asked_after: for an answer: what was stored when the device was asked.

        Returns:
            True when the value is another one than before.
        """
        with self._lock:
            before = self._readings.get(name, NO_READING)
            if asked_after is None:
                newer = reading.time >= before.time
            else:
                newer = before is asked_after or reading.time > before.time
            if not newer:
                return False
            self._readings[name] = reading
            if before is not NO_READING and _same(before.value, reading.value):
                return False
            self._changed.add(name)
            return True

    def get(self, name: str) -> Reading:
        """Return the newest reading; one without value before the first."""
        with self._lock:
            return self._readings.get(name, NO_READING)

    def touch(self, names: Iterable[str]) -> None:
        """Have names reported as changed, so that what a user typed is shown as it is again."""
        with self._lock:
            self._changed.update(names)

    def take_changed(self) -> frozenset[str]:
        """Return the names that changed since the last call."""
        with self._lock:
            changed = frozenset(self._changed)
            self._changed.clear()
            return changed
