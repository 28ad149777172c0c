"""The border to Tango: our errors become DevFailed, waiting happens without the monitor."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NoReturn

import tango

from femtotango.errors import FemtomaxError
from femtotango.text_encoding import ascii_only


def refuse(error: FemtomaxError, origin: str) -> NoReturn:
    """Raise DevFailed with the error's reason and text."""
    tango.Except.throw_exception(error.reason, ascii_only(str(error)), origin)
    raise error


@contextmanager
def reported(origin: str) -> Iterator[None]:
    """Turn our errors into DevFailed.

    Args:
        origin: the command or attribute.
    """
    try:
        yield
    except FemtomaxError as error:
        refuse(error, origin)


def waits(method: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command without the device's monitor, so that other clients are served meanwhile.

    Our errors become DevFailed.
    """

    @wraps(method)
    def outside(self: Any, *args: Any) -> Any:
        with reported(method.__name__), tango.AutoTangoAllowThreads(self):
            return method(self, *args)

    return outside
