"""The device as a process of its own, without database; its file keeps what Tango remembers."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tango

from femtotango.stack.ports import Ports

NAME = "test/femtomax/1"
_SERVER = "FemtomaxAnalysis"
_LIMIT = 90.0
_PATIENCE = 10.0


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
    line = [sys.executable, "-m", "femtotango.device", "test", f"-file={memory}"]
    log = memory.with_suffix(".log")
    with Ports() as ports:
        port = ports.new()
        with server_process([*line, "-ORBendPoint", f"giop:tcp:127.0.0.1:{port}"], log) as process:
            wait_until_ready(process, log)
            yield f"tango://127.0.0.1:{port}/{NAME}#dbase=no"


@contextmanager
def server_process(
    line: Sequence[str], log: Path, **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block is left; one that does not end by itself then is killed.

    Args:
        line: program and arguments.
        log: gets its output.
        **environment: added to ours.
    """
    with (
        log.open("wb") as output,
        subprocess.Popen(
            line, stdout=output, stderr=output, env={**os.environ, **environment}
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            process.kill()


def wait_until_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a Tango server takes requests."""
    deadline = time.monotonic() + _LIMIT
    while b"Ready to accept request" not in log.read_bytes():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
