"""The stack's own view of Tango: does a database or a device answer?"""

from typing import Any

import tango


def database_answers(tango_host: str) -> bool:
    """Tell whether a Tango database answers at ``host:port``."""
    host, _, port = tango_host.rpartition(":")
    try:
        tango.Database(host, int(port)).get_info()
    except tango.DevFailed:
        return False
    return True


def connect(address: str, timeout_ms: int = 20_000) -> Any:
    """Return a client of a device; PrepareScan itself may wait 10 s."""
    device = tango.DeviceProxy(address)
    device.set_timeout_millis(timeout_ms)
    return device


def device_state(address: str) -> str | None:
    """Return the State of a device by its full address, or None when it does not answer."""
    try:
        return str(tango.DeviceProxy(address).state())
    except tango.DevFailed:
        return None


def device_answers(address: str) -> bool:
    """Tell whether a device answers to a ping, whatever it is busy with."""
    try:
        tango.DeviceProxy(address).ping()
    except tango.DevFailed:
        return False
    return True
