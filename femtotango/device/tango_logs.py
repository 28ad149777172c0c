"""Our log lines go to Tango's log targets too."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from femtotango.text_encoding import ascii_only

_OURS = logging.getLogger(__name__.partition(".")[0])


class _TangoHandler(logging.Handler):
    """Writes to a device's logger, which has targets and a level of its own."""

    def __init__(self, device: Any) -> None:
        super().__init__()
        logger = device.get_logger()
        self._write = {
            logging.DEBUG: logger.debug,
            logging.INFO: logger.info,
            logging.WARNING: logger.warn,
            logging.ERROR: logger.error,
            logging.CRITICAL: logger.fatal,
        }

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        write = self._write.get(record.levelno, self._write[logging.ERROR])
        write("%s", ascii_only(self.format(record)))


@contextmanager
def forwarded(device: Any) -> Iterator[None]:
    """Forward log lines to a device's log targets until the block is left."""
    handler = _TangoHandler(device)
    _OURS.addHandler(handler)
    try:
        yield
    finally:
        _OURS.removeHandler(handler)


def log_to_stderr() -> None:
    """Write warnings and errors to stderr; what is less goes to Tango's targets alone."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.WARNING)
    _OURS.setLevel(logging.INFO)
