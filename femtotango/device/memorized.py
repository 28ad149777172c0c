"""What the device remembers from one life to the next: in this process, and in Tango's database."""

import logging
import threading
from collections.abc import Mapping, Sequence

import tango

from femtotango.component.kept import Kept

logger = logging.getLogger(__name__)

_VALUE = "__value"
"""Where Tango keeps what clients write to a memorized attribute."""
_left: dict[str, Kept] = {}
"""What devices of this process left when they ended, by name: newer than any database."""


class DeviceMemory:
    """Memory of one device; where there is no database it ends with the process."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._lock = threading.Lock()
        self._properties: dict[str, list[str]] = {}
        """As they were written last."""

    # In this process: over Init, DevRestart and RestartServer

    def leave(self, kept: Kept) -> None:
        """Leave something to the next life in this process; at its end there is none."""
        if not tango.Util.instance().is_svr_shutting_down():
            _left[self._device] = kept

    def take(self) -> Kept | None:
        """Return what the life before left in this process; None: this is the first."""
        return _left.pop(self._device, None)

    # In the database: over a restart of the server

    def settings(self, names: Sequence[str]) -> dict[str, str]:
        """Return the values of memorized attributes, by attribute."""
        try:
            found = _database().get_device_attribute_property(self._device, list(names))
        except tango.DevFailed as error:
            logger.info("no setting is remembered: %s", error.args[0].desc)
            return {}
        return {name: found[name][_VALUE][0] for name in names if found[name].get(_VALUE)}

    def keep_settings(self, values: Mapping[str, object]) -> None:
        """Keep values of attributes, as Tango keeps those that clients write.

        Args:
            values: by attribute.
        """
        texts = {name: {_VALUE: [_text(value)]} for name, value in values.items()}
        self._put("put_device_attribute_property", texts)

    def know_properties(self, properties: Mapping[str, list[str]]) -> None:
        """Take properties as what stands there, or as what need not be written."""
        with self._lock:
            self._properties = dict(properties)

    def keep_properties(self, properties: Mapping[str, list[str]]) -> None:
        """Keep device properties; those that have not changed are not written again."""
        with self._lock:
            changed = {
                name: texts
                for name, texts in properties.items()
                if self._properties.get(name) != texts
            }
            if changed:
                self._properties |= changed
                self._put("put_device_property", changed)

    def _put(self, method: str, values: Mapping[str, object]) -> None:
        try:
            getattr(_database(), method)(self._device, values)
        except tango.DevFailed as error:
            # Without database this is how it should be; with one Status must not suffer either.
            logger.info("%s is not kept: %s", ", ".join(values), error.args[0].desc)


def _database() -> tango.Database:
    return tango.Util.instance().get_database()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
