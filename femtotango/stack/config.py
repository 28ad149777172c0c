"""What `femtotango up` starts: defaults, and the TOML file that changes them."""

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from femtotango.stack.errors import ConfigError
from pipeline.model.cameras import CAMERAS
from tango_db.register import template

_T = TypeVar("_T")
MIN_PATIENCE = 10
MIN_HANG_PATIENCE = 3
MAX_PORT = 65535
_MAX_WORKERS = 256
_MAX_NUMBER = 2**63
_STREAM_URL = re.compile(r"tcp://(?:[^\s:/]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")


@dataclass(frozen=True)
class PortNumbers:
    """Fixed port numbers; 0 lets the stack choose."""

    redis: int = 0
    controller: int = 0
    reducer: int = 0
    sardana: int = 0
    tango: int = 0
    """The Tango database, or the device itself when there is none."""

    def __post_init__(self) -> None:
        for name, port in dataclasses.asdict(self).items():
            if not 0 <= port <= MAX_PORT:
                raise ConfigError(f"[ports] {name} = {port}: a port is a number, 0 … {MAX_PORT}.")


@dataclass(frozen=True)
class StackConfig:
    """Everything that a stack can be told."""

    bind: str = "127.0.0.1"
    """Interface of the HTTP services and of Tango; Redis and ZMQ stay on loopback."""
    workers: int = 2
    worker_class: str = "pipeline.worker:FemtomaxWorker"
    reducer_class: str = "pipeline.reducer:FemtomaxReducer"
    database: bool = True
    """Start an embedded Tango database; without it the device has a #dbase=no address."""
    device: str = template().device
    """Name of the Tango device; empty: no device."""
    sardana: bool = True
    log_level: str = "WARNING"
    patience: int = 30
    """How long a process that is busy may not answer before it is killed and restarted [s]."""
    hang_patience: int = 4
    """The same for one that does nothing at all: it is stopped, or waits for ever [s]."""
    ports: PortNumbers = field(default_factory=PortNumbers)
    streams: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(CAMERAS, ""))
    """Where the detectors bind their ZMQ PUSH sockets, by stream; empty lets the stack choose."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """Tango properties of the device."""

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= _MAX_WORKERS:
            raise ConfigError(
                f"workers = {self.workers}: at least 1 is needed, and {_MAX_WORKERS} are the most."
            )
        if self.patience < MIN_PATIENCE:
            raise ConfigError(
                f"patience = {self.patience}: at least {MIN_PATIENCE} s are needed, or a process "
                "that is only busy is killed."
            )
        if self.hang_patience < MIN_HANG_PATIENCE:
            raise ConfigError(
                f"hang_patience = {self.hang_patience}: at least {MIN_HANG_PATIENCE} s are needed, "
                "or a process that is stopped for a moment only is killed."
            )
        if self.device and self.device.count("/") != 2:
            raise ConfigError(f"device = {self.device!r}: a Tango name has the form a/b/c.")
        for stream, url in self.streams.items():
            if stream not in CAMERAS:
                raise ConfigError(
                    f"[streams] {stream}: no such camera, known are {', '.join(CAMERAS)}."
                )
            if url:
                check_stream_url(url, f"[streams] {stream}")


def check_stream_url(url: str, where: str) -> None:
    """Check the address of a detector's socket; ZMQ itself takes port 70000 for another one.

    Args:
        url: ``tcp://HOST:PORT``.
        where: it stands, for the message.

    Raises:
        ConfigError: it has another form.
    """
    match = _STREAM_URL.fullmatch(url)
    if match is None or not 1 <= int(match[1]) <= MAX_PORT:
        raise ConfigError(
            f"{where} = {url[:80]!r}: a detector binds at tcp://HOST:PORT, "
            f"PORT from 1 to {MAX_PORT}."
        )


def read_config(path: Path) -> StackConfig:
    """Read the configuration file.

    Raises:
        ConfigError: it is missing, no TOML, or has a key or value that cannot be used.
    """
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"Configuration {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # ValueError also of a number of 5000 digits
        raise ConfigError(f"Configuration {path} is not TOML: {error}") from error
    return config_from_table(table, str(path))


def config_from_table(table: Mapping[str, Any], where: str) -> StackConfig:
    """Build the configuration from parsed TOML.

    Raises:
        ConfigError: a key or value cannot be used.
    """
    values = dict(table)
    ports = _fields(PortNumbers, _sub_table(values, "ports", where), f"{where} [ports]")
    streams = _texts(_sub_table(values, "streams", where), f"{where} [streams]")
    properties = _texts(_sub_table(values, "properties", where), f"{where} [properties]")
    if streams:
        values["streams"] = streams
    return _fields(StackConfig, values, where, ports=ports, properties=properties)


def _sub_table(values: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    table = values.pop(name, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: {name} must be a table, [{name}].")
    return table


def _texts(table: Mapping[str, Any], where: str) -> dict[str, str]:
    for name, value in table.items():
        _check_size(name, value, where)
        if not isinstance(value, str | int | float):
            raise ConfigError(f"{where}: {name} = {value!r} must be a text.")
    return {name: str(value) for name, value in table.items()}


def _check_size(name: str, value: Any, where: str) -> None:
    if isinstance(value, int) and abs(value) >= _MAX_NUMBER:  # as 0x…, it has no limit of its own
        raise ConfigError(f"{where}: {name} is too large a number; it must fit into 64 bits.")


def _fields(kind: type[_T], values: Mapping[str, Any], where: str, **more: Any) -> _T:
    known = {f.name: f for f in dataclasses.fields(kind)}  # pyright: ignore[reportArgumentType]
    for name, value in values.items():
        if name not in known:
            raise ConfigError(f"{where}: {name!r} is not known; use {', '.join(known)}.")
        _check_size(name, value, where)
        default = known[name].default
        if default is not dataclasses.MISSING and type(value) is not type(default):
            raise ConfigError(
                f"{where}: {name} = {value!r} must be of type {type(default).__name__}."
            )
    return kind(**values, **more)
