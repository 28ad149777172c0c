"""Enter the device in a Tango database, as `femtomax.json` describes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files

import tango

CLASS = "FemtomaxAnalysis"


class RegisterError(Exception):
    """The database cannot take the device; the text says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """What stands in the database."""

    instance: str
    """The server is started as ``FemtomaxAnalysis INSTANCE``."""
    device: str
    alias: str
    properties: Mapping[str, list[str]] = field(default_factory=dict)


def template() -> Entry:
    """Return the entry that `femtomax.json` holds."""
    servers = json.loads(files("tango_db").joinpath("femtomax.json").read_text())["servers"]
    ((server, classes),) = servers.items()
    ((device, entry),) = classes[CLASS].items()
    return Entry(server.partition("/")[2], device, entry["alias"], entry["properties"])


def register(
    instance: str | None = None,
    device: str | None = None,
    alias: str | None = None,
    properties: Mapping[str, str] | None = None,
    tango_host: str | None = None,
) -> list[str]:
    """Enter server, device, alias and properties; what is there already stays.

    Args:
        instance: of the server; None: as in `femtomax.json`, like all the others.
        device: Tango name, ``a/b/c``.
        alias: short name; empty: none.
        properties: values that are written even when the database has others.
        tango_host: ``host:port`` of the database; None: from the environment.

    Returns:
        A line for each change; empty when there was nothing to do.

    Raises:
        RegisterError: the database does not answer, or refuses.
    """
    entry = template()
    given = {"instance": instance, "device": device, "alias": alias}
    entry = replace(entry, **{name: value for name, value in given.items() if value is not None})
    if entry.device.count("/") != 2:
        raise RegisterError(f"Device {entry.device!r}: a Tango name has the form a/b/c.")
    try:
        return _enter(_database(tango_host), entry, dict(properties or {}))
    except tango.DevFailed as error:
        raise RegisterError(
            f"The Tango database cannot take {entry.device} ({error.args[0].desc.strip()}): "
            "is TANGO_HOST right, and does the database run?"
        ) from error


def _database(tango_host: str | None) -> tango.Database:
    if tango_host is None:
        return tango.Database()
    host, _, port = tango_host.rpartition(":")
    if not host or not port.isdigit():
        raise RegisterError(f"TANGO_HOST {tango_host!r}: expected host:port.")
    return tango.Database(host, int(port))


def _enter(database: tango.Database, entry: Entry, given: dict[str, str]) -> list[str]:
    changes = []
    server = f"{CLASS}/{entry.instance}"
    if entry.device.lower() not in _devices(database, server):
        info = tango.DbDevInfo()
        info.server, info._class, info.name = server, CLASS, entry.device
        database.add_device(info)
        changes.append(f"device {entry.device} in server {server}")
    if entry.alias and not _has_alias(database, entry.device, entry.alias):
        database.put_device_alias(entry.device, entry.alias)
        changes.append(f"alias {entry.alias}")
    for name, values in _properties(entry, given).items():
        there = list(database.get_device_property(entry.device, name)[name])
        if there == values or (there and name not in given):
            continue
        database.put_device_property(entry.device, {name: values})
        changes.append(f"property {name} = {', '.join(values)}")
    return changes


def _properties(entry: Entry, given: dict[str, str]) -> dict[str, list[str]]:
    return {**entry.properties, **{name: [value] for name, value in given.items()}}


def _devices(database: tango.Database, server: str) -> set[str]:
    names = list(database.get_device_class_list(server))
    return {name.lower() for name in names[::2]}


def _has_alias(database: tango.Database, device: str, alias: str) -> bool:
    try:
        return str(database.get_device_from_alias(alias)).lower() == device.lower()
    except tango.DevFailed:
        return False
