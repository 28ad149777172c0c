"""The stack's own view of Tango: enter a device in a database, wait until it answers."""

from collections.abc import Mapping
from typing import Any

import tango

from femtotango.stack.services import INSTANCE, SERVER


def database_answers(tango_host: str) -> bool:
    """Tell whether a Tango database answers at ``host:port``."""
    host, _, port = tango_host.rpartition(":")
    try:
        tango.Database(host, int(port)).get_info()
    except tango.DevFailed:
        return False
    return True


def enter_device(tango_host: str, device: str, properties: Mapping[str, str]) -> None:
    """Enter the device and its properties in a database; entries that are there stay."""
    host, _, port = tango_host.rpartition(":")
    database = tango.Database(host, int(port))
    info = tango.DbDevInfo()
    info.server = f"{SERVER}/{INSTANCE}"
    info._class = SERVER
    info.name = device
    database.add_device(info)
    database.put_device_property(device, {name: [value] for name, value in properties.items()})


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
