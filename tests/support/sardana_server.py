"""A real Sardana server beside a stack, and its door."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tango

INSTANCE = "femtomax"
_POLL = 0.05
_START_LIMIT = 120.0
_MACRO_LIMIT = 120.0
_END_LIMIT = 20.0


class MacroError(RuntimeError):
    """What a macro that failed wrote as its error."""


def wait_for(condition: Callable[[], Any], what: str, limit: float = _MACRO_LIMIT) -> Any:
    """Return what the condition gives as soon as it is true."""
    deadline = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not after {limit:g} s: {what}")
        time.sleep(_POLL)
    return value


class Door:
    """Runs macros and tells what they wrote."""

    def __init__(self, tango_host: str) -> None:
        root = f"tango://{tango_host}"
        self.proxy = tango.DeviceProxy(f"{root}/Door/{INSTANCE}/1")
        self._server = tango.DeviceProxy(f"{root}/MacroServer/{INSTANCE}/1")

    def ready(self) -> bool:
        """Say whether our macros can be run."""
        try:
            macros = self._server.read_attribute("MacroList").value or ()
            return "femto_prepare" in macros and self.proxy.state() == tango.DevState.ON
        except tango.DevFailed:
            return False

    def start(self, line: str) -> None:
        """Start a macro."""
        self.proxy.command_inout("RunMacro", line.split())

    def running(self) -> bool:
        """Say whether a macro runs."""
        return self.proxy.state() == tango.DevState.RUNNING

    def wait(self) -> None:
        """Return when no macro runs any more."""
        wait_for(lambda: not self.running(), f"the end of {self.text('Output')}")

    def run(self, line: str) -> str:
        """Run a macro and return its output.

        Raises:
            MacroError: the macro failed.
        """
        self.start(line)
        self.wait()
        if self.proxy.state() != tango.DevState.ON:
            raise MacroError(self.text("Error"))
        return self.text("Output")

    def text(self, stream: str) -> str:
        """Return what the last macro wrote: Output, Info, Warning or Error."""
        return "\n".join(self.proxy.read_attribute(stream).value or ())


@contextmanager
def sardana_server(tango_host: str, yaml: Path, log: Path) -> Iterator[Door]:
    """Load a configuration and run the server until the block is left."""
    environment = {**os.environ, "TANGO_HOST": tango_host}
    folder = Path(sys.executable).parent
    load = [folder / "sardana-config", "load", "--write", "--environment", yaml]
    subprocess.run(load, env=environment, check=True, capture_output=True, timeout=60)
    command = [folder / "Sardana", INSTANCE, "-ORBendPoint", "giop:tcp:127.0.0.1:"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        door = Door(tango_host)
        wait_for(
            lambda: door.ready() or process.poll() is not None, "Sardana is up", _START_LIMIT
        )
        assert process.poll() is None, log.read_text()
        yield door
    finally:
        process.terminate()
        try:
            process.wait(_END_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
