"""Enter the device in a Tango database, as `femtomax.json` describes it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files

import tango

CLASS = "FemtomaxAnalysis"
_UNKNOWN = ("DB_DeviceNotDefined", "DB_AliasNotDefined")


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
    move: bool = False,
) -> list[str]:
    """Enter server, device, alias and properties; what is there already stays.

    Everything that can be refused is looked at before the first change.

    Args:
        instance: of the server; None: as in `femtomax.json`, like all the others.
        device: Tango name, ``a/b/c``.
        alias: short name; empty: none.
        properties: values that are written even when the database has others.
        tango_host: ``host:port`` of the database; None: from the environment.
        move: take a device that another server has.

    Returns:
        A line for each change; empty when there was nothing to do.

    Raises:
        RegisterError: the database does not answer, or refuses; another device has the alias, or
            another server the device.
    """
    entry = template()
    given = {"instance": instance, "device": device, "alias": alias}
    entry = replace(entry, **{name: value for name, value in given.items() if value is not None})
    if entry.device.count("/") != 2:
        raise RegisterError(f"Device {entry.device!r}: a Tango name has the form a/b/c.")
    with _plain_errors(f"cannot take {entry.device}"):
        database = _database(tango_host)
        _check(database, entry, move)
        return _enter(database, entry, dict(properties or {}))


def forget_properties(device: str, values: Mapping[str, str], tango_host: str) -> list[str]:
    """Delete properties of a device that still have the values that were once entered.

    Args:
        device: Tango name.
        values: that were entered; what somebody has changed since then stays.
        tango_host: ``host:port`` of the database.

    Returns:
        A line for each change.

    Raises:
        RegisterError: the database does not answer, or refuses.
    """
    with _plain_errors(f"cannot take {device}"):
        database = _database(tango_host)
        there = {n: list(database.get_device_property(device, n)[n]) for n in values}
        gone = [name for name, value in values.items() if there[name] == [value]]
        for name in gone:
            database.delete_device_property(device, name)
    return [f"property {name} deleted" for name in gone]


@contextmanager
def _plain_errors(what: str) -> Iterator[None]:
    try:
        yield
    except tango.ConnectionFailed as error:
        raise RegisterError(
            f"The Tango database {what} ({error.args[0].desc.strip()}): "
            "is TANGO_HOST right, and does the database run?"
        ) from error
    except tango.DevFailed as error:
        raise RegisterError(
            f"The Tango database {what}: {error.args[0].desc.strip()} ({error.args[0].reason})."
        ) from error


def _database(tango_host: str | None) -> tango.Database:
    if tango_host is None:
        return tango.Database()
    host, _, port = tango_host.rpartition(":")
    if not host or not port.isdigit():
        raise RegisterError(f"TANGO_HOST {tango_host!r}: expected host:port.")
    return tango.Database(host, int(port))


def _check(database: tango.Database, entry: Entry, move: bool) -> None:
    owner = _device_of(database, entry.alias) if entry.alias else ""
    if owner and owner.lower() != entry.device.lower():
        raise RegisterError(
            f"Nothing was entered: the alias {entry.alias} belongs to {owner}. Give {entry.device} "
            'another one (--alias NAME), or none (--alias "").'
        )
    there = _server_of(database, entry.device)
    wanted = f"{CLASS}/{entry.instance}"
    if there and there.lower() != wanted.lower() and not move:
        raise RegisterError(
            f"Nothing was entered: {entry.device} belongs to the server {there}. Give another "
            f"device (--device), the instance that has it (--instance), or let {wanted} have it "
            "(--move)."
        )


def _enter(database: tango.Database, entry: Entry, given: dict[str, str]) -> list[str]:
    changes = []
    server = f"{CLASS}/{entry.instance}"
    there = _server_of(database, entry.device)
    if there.lower() != server.lower():
        info = tango.DbDevInfo()
        info.server, info._class, info.name = server, CLASS, entry.device
        database.add_device(info)
        moved = f", not in {there} any more" if there else ""
        changes.append(f"device {entry.device} in server {server}{moved}")
    if entry.alias and not _device_of(database, entry.alias):
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


def _server_of(database: tango.Database, device: str) -> str:
    """Return the server that has a device in the database; empty: none."""
    try:
        return str(database.get_device_info(device).ds_full_name)
    except tango.DevFailed as error:
        if error.args[0].reason in _UNKNOWN:
            return ""
        raise


def _device_of(database: tango.Database, alias: str) -> str:
    """Return the device that has an alias; empty: none."""
    try:
        return str(database.get_device_from_alias(alias))
    except tango.DevFailed as error:
        if error.args[0].reason in _UNKNOWN:
            return ""
        raise
