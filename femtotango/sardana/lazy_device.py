"""A device that a Pool reads: connected on first use, patient once, then left alone for a while."""

import time
from typing import Any, ClassVar

import tango

_ANSWER = 2_000
"""[ms]"""
_TIMED_OUT = "API_DeviceTimedOut"
_REST = 5.0
"""A device that did not answer is left alone for so long [s]."""


class LazyDevice:
    """Connect on first use: a Pool must be able to start while the analysis is down.

    One late answer of a busy device does not cost the value of a point: it is asked once more. A
    device that did not answer then is not asked again for a while: one that hangs must not cost
    each point the time-out of each controller.
    """

    _failures: ClassVar[dict[str, tuple[float, tango.DevFailed]]] = {}
    """By device: when it may be asked again, monotonic [s], and what it failed with."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._proxy: Any = None

    def read_attributes(self, names: list[str]) -> list[Any]:
        """Read several attributes.

        Raises:
            tango.DevFailed: the device does not answer, or did not a moment ago.
        """
        until, failure = self._failures.get(self._name, (0.0, None))
        if failure is not None and time.monotonic() < until:
            raise failure
        try:
            if self._proxy is None:
                proxy = tango.DeviceProxy(self._name)
                proxy.set_timeout_millis(_ANSWER)
                self._proxy = proxy
            values = self._read(names, again=failure is None)
        except tango.DevFailed as error:
            self._failures[self._name] = time.monotonic() + _REST, error
            raise
        self._failures.pop(self._name, None)
        return values

    def _read(self, names: list[str], again: bool) -> list[Any]:
        try:
            return self._proxy.read_attributes(names)
        except tango.DevFailed as error:
            if not again or all(e.reason != _TIMED_OUT for e in error.args):
                raise
        return self._proxy.read_attributes(names)
