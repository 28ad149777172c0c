"""A real Sardana server beside a stack, and its door."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import tango
from support.server_process import running_server
from support.waiting import PATIENCE, wait_for

INSTANCE = "femtomax"
_FIRST_EVENT = 2.0
_FOLDER = Path(sys.executable).parent


class MacroError(RuntimeError):
    """What a macro that failed wrote as its error."""


class Door:
    """Runs macros and tells what they wrote.

    The end of a macro is taken from events: a poll could look before the macro has begun.
    """

    def __init__(self, tango_host: str) -> None:
        root = f"tango://{tango_host}"
        self.proxy: Any = tango.DeviceProxy(f"{root}/Door/{INSTANCE}/1")
        self._server: Any = tango.DeviceProxy(f"{root}/MacroServer/{INSTANCE}/1")
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._failed = False
        self._subscription: int | None = None

    def ready(self) -> bool:
        """Say whether our macros can be run and their events are heard."""
        try:
            macros = self._server.read_attribute("MacroList").value or ()
            if "femto_prepare" not in macros or self.proxy.state() != tango.DevState.ON:
                return False
            if self._subscription is None:
                change = tango.EventType.CHANGE_EVENT
                self._subscription = self.proxy.subscribe_event("State", change, self._hear)
            # The first events after a subscription may be lost: try until one is heard.
            self.proxy.command_inout("RunMacro", ["genv", "ActiveMntGrp"])
        except tango.DevFailed:
            return False
        return self._ended.wait(_FIRST_EVENT)

    def close(self) -> None:
        """Hear no more."""
        if self._subscription is not None:
            self.proxy.unsubscribe_event(self._subscription)

    def _hear(self, event: Any) -> None:
        if event.err:
            return
        if event.attr_value.value == tango.DevState.RUNNING:
            self._begun.set()
        elif self._begun.is_set():
            self._failed = event.attr_value.value != tango.DevState.ON
            self._ended.set()

    def start(self, line: str) -> None:
        """Start a macro and return when it runs."""
        self._begun.clear()
        self._ended.clear()
        self.proxy.command_inout("RunMacro", line.split())
        assert self._begun.wait(PATIENCE), f"{line} does not begin"

    @property
    def running(self) -> bool:
        """True while a macro runs."""
        return self._begun.is_set() and not self._ended.is_set()

    def calm(self) -> bool:
        """Stop a macro that still runs, and say whether another one can be run."""

        def idle() -> bool:
            if self.proxy.state() != tango.DevState.RUNNING:
                return True
            # In a macro's first instant Sardana ignores it; it may also end by itself.
            with suppress(tango.DevFailed):
                self.proxy.command_inout("StopMacro")
            return False

        try:
            return wait_for(idle, "the macro ends", PATIENCE / 5)
        except (tango.DevFailed, AssertionError):
            return False

    def wait(self) -> None:
        """Return when the macro has ended."""
        assert self._ended.wait(PATIENCE), f"no end of {self.text('Output')}"

    def run(self, line: str) -> str:
        """Run a macro and return its output.

        Raises:
            MacroError: the macro failed.
        """
        self.start(line)
        self.wait()
        if self._failed:
            raise MacroError(self.text("Error"))
        return self.text("Output")

    def text(self, stream: str) -> str:
        """Return what the last macro wrote: Output, Info, Warning or Error."""
        return "\n".join(self.proxy.read_attribute(stream).value or ())


def load_configuration(tango_host: str, yaml: Path) -> None:
    """Write a configuration into the Tango database."""
    load = [_FOLDER / "sardana-config", "load", "--write", "--environment", yaml]
    environment = {**os.environ, "TANGO_HOST": tango_host}
    subprocess.run(load, env=environment, check=True, capture_output=True, timeout=PATIENCE)


@contextmanager
def sardana_server(tango_host: str, log: Path) -> Iterator[Door]:
    """Run the server until the block is left."""
    environment = {"TANGO_HOST": tango_host}
    command = [_FOLDER / "Sardana", INSTANCE, "-ORBendPoint", "giop:tcp:127.0.0.1:"]
    with closing(Door(tango_host)) as door, running_server(command, log, door.ready, environment):
        yield door
