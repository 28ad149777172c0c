"""The device as a process of its own, without database; its file keeps what Tango remembers."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import tango
from support.killing import processes
from support.server_process import running_server, takes_requests

from femtotango.stack.ports import Ports

NAME = "test/femtomax/1"
_SERVER = "FemtomaxAnalysis"


def write_memory(path: Path, properties: Mapping[str, Any], settings: Mapping[str, str]) -> None:
    """Write properties, and settings as if Tango had remembered them, into an existing memory."""
    old = path.read_text().splitlines() if path.exists() else []
    head = f"{_SERVER}/test/DEVICE/{_SERVER}"
    new = {f"{NAME}->{name}": str(value) for name, value in properties.items()}
    new |= {f"{NAME}/{name}->__value": value for name, value in settings.items()}
    kept = [line for line in old if line.partition(": ")[0] not in (head, *new)]
    lines = [f"{key}: {json.dumps(value)}" for key, value in {head: NAME, **new}.items()]
    path.write_text("\n".join([lines[0], *kept, *lines[1:]]) + "\n")


@contextmanager
def device_server(
    memory: Path, properties: Mapping[str, Any], settings: Mapping[str, str] | None = None
) -> Iterator[Any]:
    """Run the device and give a proxy; see `serving`."""
    with serving(memory, properties, settings) as address:
        proxy = tango.DeviceProxy(address)
        proxy.set_timeout_millis(20_000)
        yield proxy


@contextmanager
def serving(
    memory: Path, properties: Mapping[str, Any], settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run the device and give its address.

    Args:
        memory: file of properties and remembered settings; made when it is not there.
        properties: of the device.
        settings: remembered values by attribute, besides those in the file.
    """
    write_memory(memory, properties, settings or {})
    log = memory.with_suffix(".log")
    line = [sys.executable, "-m", "femtotango.device", "test", f"-file={memory}"]
    with Ports() as ports:
        endpoint = f"giop:tcp:127.0.0.1:{(port := ports.new())}"
        command = [*line, "-ORBendPoint", endpoint]
        with running_server(command, log, lambda: takes_requests(log)):
            yield f"tango://127.0.0.1:{port}/{NAME}#dbase=no"


def server_process(memory: Path) -> psutil.Process:
    """Return the process of the device server that has its memory in this file."""
    lines = processes({"pid": os.getpid()})
    (found,) = [pid for pid, line in lines.items() if f"-file={memory}" in line.split()]
    return psutil.Process(found)
