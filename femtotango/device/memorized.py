"""What Tango does not remember by itself: spectra, and settings that commands have changed."""

import logging
from collections.abc import Mapping, Sequence

import tango

logger = logging.getLogger(__name__)


class DeviceMemory:
    """Writes properties of one device; where there is no database nothing is kept."""

    def __init__(self, device: str) -> None:
        self._device = device

    def keep_property(self, name: str, values: Sequence[object]) -> None:
        """Keep a device property."""
        texts = [str(value) for value in values]
        self._put("put_device_property", {name: texts})

    def keep_settings(self, values: Mapping[str, object]) -> None:
        """Keep values of attributes, as Tango keeps those that clients write.

        Args:
            values: by attribute.
        """
        texts = {name: {"__value": [_text(value)]} for name, value in values.items()}
        self._put("put_device_attribute_property", texts)

    def _put(self, method: str, values: Mapping[str, object]) -> None:
        try:
            database = tango.Util.instance().get_database()
            getattr(database, method)(self._device, values)
        except tango.DevFailed as error:
            # Without database this is how it should be; with one Status must not suffer either.
            logger.info("%s is not kept: %s", ", ".join(values), error.args[0].desc)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
