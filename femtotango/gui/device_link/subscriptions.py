"""Subscribe to the change events of a device one by one, so that other calls fit in between."""

import functools
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import tango

_RETRY = 30.0
"""Seconds until attributes without events are tried again."""

OnEvent = Callable[[str, Any], None]
"""Called in Tango's own threads with the attribute's name and a `tango.DeviceAttribute`."""


class Subscriptions:
    """The subscriptions of one device; each takes a call to it."""

    def __init__(self, proxy: tango.DeviceProxy, names: Iterable[str], on_event: OnEvent) -> None:
        self._proxy = proxy
        self._on_event = on_event
        self._waiting = deque(names)
        self._failed: list[str] = []
        self._retry = 0.0
        self._ids: dict[str, int] = {}
        self._extra: tuple[str, ...] = ()

    def follow(self, extra: tuple[str, ...]) -> None:
        """Follow these attributes besides the first ones, and no others."""
        if extra == self._extra:
            return
        for name in set(self._extra) - set(extra):
            self._drop(name)
        self._waiting.extend(name for name in extra if name not in self._extra)
        self._extra = extra

    def _drop(self, name: str) -> None:
        for names in (self._waiting, self._failed):
            if name in names:
                names.remove(name)
        identifier = self._ids.pop(name, None)
        if identifier is not None:
            self._unsubscribe(identifier)

    @property
    def waiting(self) -> bool:
        """Whether some attributes are not subscribed to yet."""
        if not self._waiting and self._failed and time.monotonic() >= self._retry:
            self._waiting.extend(self._failed)
            self._failed.clear()
        return bool(self._waiting)

    def subscribe_next(self) -> bool:
        """Subscribe to the next attribute.

        Returns:
            False when it failed: the attribute has no events, or the device is away.
        """
        name = self._waiting.popleft()
        try:
            identifier = self._proxy.subscribe_event(
                name,
                tango.EventType.CHANGE_EVENT,
                functools.partial(self._received, name),
            )
        except tango.DevFailed:
            self._failed.append(name)
            self._retry = time.monotonic() + _RETRY
            return False
        self._ids[name] = identifier
        return True

    def _received(self, name: str, event: tango.EventData) -> None:
        if not event.err and event.attr_value is not None:
            self._on_event(name, event.attr_value)

    def close(self) -> None:
        """End all subscriptions."""
        for identifier in self._ids.values():
            self._unsubscribe(identifier)
        self._ids.clear()

    def _unsubscribe(self, identifier: int) -> None:
        # When the device is gone, so is the subscription.
        with suppress(tango.DevFailed):
            self._proxy.unsubscribe_event(identifier)
