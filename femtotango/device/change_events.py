"""Push change events, and archive events, of what has changed, from one thread."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tango
from tango import AttrQuality

logger = logging.getLogger(__name__)

_IMAGE = 2
"""Dimensions of an image; archives take none."""

Reading = tuple[Any, float, AttrQuality]
"""Value, time [s], quality."""


class Pusher:
    """Calls a device's reading functions and pushes what is new."""

    def __init__(
        self,
        device: Any,
        readings: Callable[[], Iterable[tuple[str, Reading]]],
        state: Callable[[], tuple[tango.DevState, str]],
        after: Callable[[], None],
    ) -> None:
        """Take the functions that tell what there is.

        Args:
            device: whose events they are.
            readings: gives name and reading of each attribute with events.
            state: gives State and Status.
            after: called after each round, in the same thread.
        """
        self._device = device
        self._readings = readings
        self._state = state
        self._after = after
        self._pushed: dict[str, tuple[Any, AttrQuality]] = {}
        self._changed = threading.Event()
        self._closing = threading.Event()
        self.failures = 0
        """Events that could not be pushed."""
        self._thread = threading.Thread(target=self._run, name="femtomax-events", daemon=True)

    def start(self) -> None:
        """Begin to push."""
        self._thread.start()

    def notify(self) -> None:
        """Say that something may have changed."""
        self._changed.set()

    def close(self) -> None:
        """End the thread; call without the device's monitor."""
        self._closing.set()
        self._changed.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        with tango.EnsureOmniThread():
            while not self._closing.is_set():
                self._changed.wait(1.0)
                self._changed.clear()
                if not self._closing.is_set():
                    self._round()

    def _round(self) -> None:
        try:
            for name, (value, when, quality) in self._readings():
                before = self._pushed.get(name)
                if before is None or before[1] != quality or not same(before[0], value):
                    self._pushed[name] = value, quality
                    self._push(name, value, when, quality)
            state, status = self._state()
            for name, value in (("State", state), ("Status", status)):
                before = self._pushed.get(name)
                if before is None or before[0] != value:
                    self._pushed[name] = value, AttrQuality.ATTR_VALID
                    self._tell_base_class(state, status)
                    self._push(name, value, time.time(), AttrQuality.ATTR_VALID)
            self._after()
        except Exception:
            # Without this thread no client would hear of anything any more.
            self.failures += 1
            logger.exception("a round of change events failed")

    def _tell_base_class(self, state: tango.DevState, status: str) -> None:
        # Their events carry what the base class holds, not the value that is given.
        with tango.AutoTangoMonitor(self._device):
            self._device.set_state(state)
            self._device.set_status(status)

    def _push(self, name: str, value: Any, when: float, quality: AttrQuality) -> None:
        try:
            self._device.push_change_event(name, value, when, quality)
            if np.ndim(value) < _IMAGE:
                self._device.push_archive_event(name, value, when, quality)
        except tango.DevFailed as error:
            self.failures += 1
            self._pushed.pop(name, None)
            logger.warning("no event of %s: %s", name, error.args[0].desc)


class Changes:
    """Remembers since when values are what they are."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Any, float]] = {}

    def since(self, name: str, value: Any) -> float:
        """Return since when this is the value, epoch [s]; now when it is another one."""
        before = self._seen.get(name)
        if before is None or not same(before[0], value):
            before = self._seen[name] = value, time.time()
        return before[1]


def same(a: Any, b: Any) -> bool:
    """Say whether two values are equal; NaN equals NaN."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        if a is b or a.shape != b.shape:
            return a is b
        equal = a == b
        if a.dtype.kind == b.dtype.kind == "f":
            # `numpy.array_equal` takes three times as long for an image with NaN.
            equal |= (a != a) & (b != b)
        return bool(np.all(equal))
    return bool(a == b or (a != a and b != b))
