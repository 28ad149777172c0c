"""How Sardana reaches the Tango device, with errors as one plain sentence."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tango
from sardana.macroserver.msexception import UnknownEnv

from femtotango.sardana.names import DEVICE_VARIABLE
from femtotango.text_encoding import latin

_PING = 3_000
"""[ms]"""
COMMAND_TIMEOUT = 30_000
"""PrepareScan waits up to 10 s for the previous scan [ms]."""


class FemtomaxError(RuntimeError):
    """What went wrong and what to do, as a sentence for the user of a macro."""

    def __init__(self, text: str) -> None:
        # A text that Tango cannot carry would not arrive at all.
        super().__init__(latin(text))


def reason(error: tango.DevFailed) -> str:
    """Return the reason code of the first error on the stack, such as Femtomax_BadRoi."""
    return str(error.args[0].reason)


def plain(error: tango.DevFailed) -> FemtomaxError:
    """Turn the error stack of Tango into one sentence."""
    return FemtomaxError(f"{str(error.args[0].desc).strip()} ({reason(error)})")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show Tango errors as one sentence instead of a stack.

    Raises:
        FemtomaxError: a call in the block failed.
    """
    try:
        yield
    except tango.DevFailed as error:
        raise plain(error) from error


def connect(read_variable: Callable[[str], Any]) -> Any:
    """Connect to the device that Sardana's environment names.

    Args:
        read_variable: returns the value of an environment variable; raises when it is not set.

    Returns:
        A tango.DeviceProxy.

    Raises:
        FemtomaxError: the variable is not set, or its device does not answer.
    """
    name = variable(read_variable, DEVICE_VARIABLE)
    if not isinstance(name, str) or not name:
        raise FemtomaxError(
            f"No analysis device is set: senv {DEVICE_VARIABLE} <name of the Tango device>"
        )
    try:
        proxy = tango.DeviceProxy(name)
        proxy.set_timeout_millis(_PING)
        proxy.ping()
        proxy.set_timeout_millis(COMMAND_TIMEOUT)
    except tango.DevFailed as error:
        raise FemtomaxError(
            f"{DEVICE_VARIABLE} {name} does not answer: {plain(error)}. "
            f"Start the device or correct the name with senv {DEVICE_VARIABLE} <name>."
        ) from error
    return proxy


def variable(read_variable: Callable[[str], Any], name: str, default: Any = None) -> Any:
    """Read a variable of Sardana's environment; return the default when it is not set."""
    try:
        return read_variable(name)
    except UnknownEnv:
        return default


def switched(read_variable: Callable[[str], Any], name: str, default: bool) -> bool:
    """Read a variable that is on or off, as Sardana or a person wrote it.

    Raises:
        FemtomaxError: it is neither.
    """
    value = variable(read_variable, name, default)
    word = str(value).strip().lower()
    if word in ("true", "1", "on", "yes"):
        return True
    if word in ("false", "0", "off", "no"):
        return False
    raise FemtomaxError(f"{name} = {value!r}: use senv {name} True, or False.")


def choose(action: str, *accepted: str) -> str:
    """Return the action of a macro in lower case, if it is one of those accepted.

    Raises:
        FemtomaxError: it is none of them.
    """
    if action.lower() not in accepted:
        raise FemtomaxError(f"{action!r} is not possible here: use {', '.join(accepted)}.")
    return action.lower()
