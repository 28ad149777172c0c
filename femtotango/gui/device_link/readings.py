"""The newest reading of every attribute, shared between the Tango threads and the window."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Reading:
    """One value of an attribute, as the device sent it."""

    value: Any = None
    """None: no value, because the device marked it INVALID or was not reached."""
    time: float = 0.0
    """The device's time stamp, seconds since 1970; values of one snapshot share it."""


NO_READING = Reading()


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if type(a) is not type(b):
        return False
    return a == b or (isinstance(a, float) and a != a and b != b)


class Readings:
    """Keep the newest reading of each attribute, and which changed since the window last took them.

    Only one reading per attribute is kept, so a slow window shows the newest state and never
    works through a queue.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: dict[str, Reading] = {}
        self._changed: set[str] = set()

    def put(self, name: str, reading: Reading, read_after: Reading | None = None) -> bool:
        """Store a reading unless a newer one is there already.

        Events are ordered by their time stamps. The answer to a read is newer than any reading
        stored before the read began, whatever the time stamps say: the device's clock may have
        been set back, and several values in turn may carry the time of the same snapshot.

        Args:
            name: the attribute.
            reading: its value and time.
            read_after: for the answer to a read: what was stored when the read began.

        Returns:
            True when the value differs from the one before.
        """
        with self._lock:
            before = self._readings.get(name, NO_READING)
            if read_after is None:
                newer = reading.time >= before.time
            else:
                newer = before is read_after or reading.time > before.time
            if not newer:
                return False
            self._readings[name] = reading
            if before is not NO_READING and _same(before.value, reading.value):
                return False
            self._changed.add(name)
            return True

    def get(self, name: str) -> Reading:
        """Return the newest reading; `NO_READING` before the first."""
        with self._lock:
            return self._readings.get(name, NO_READING)

    def touch(self, names: Iterable[str]) -> None:
        """Report attributes as changed, so that widgets show their values again."""
        with self._lock:
            self._changed.update(names)

    def take_changed(self) -> frozenset[str]:
        """Return the names that changed since the last call."""
        with self._lock:
            changed = frozenset(self._changed)
            self._changed.clear()
            return changed
