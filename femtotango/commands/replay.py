"""`femtotango replay`: recorded streams with a device, without Redis or a Tango database."""

import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress

from femtotango.commands.demo.report import device_table
from femtotango.commands.up import stop_on_signals
from femtotango.stack.command import Command
from femtotango.stack.config import StackConfig
from femtotango.stack.errors import ConfigError, MissingPart, StackError
from femtotango.stack.files import remove_ready_file, write_ready_file
from femtotango.stack.launch import LOOPBACK
from femtotango.stack.ports import Ports
from femtotango.stack.processes import Process, end
from femtotango.stack.property_file import write_property_file
from femtotango.stack.services import Services
from femtotango.stack.stack_ports import StackPorts
from femtotango.stack.tango_client import connect, device_state
from pipeline.model.parameter import ParameterError, Value
from pipeline.model.parameters import PARAMETERS

_POLL = 0.1
_LIMIT = 60.0
_PATIENCE = 3.0


@dataclass(frozen=True)
class Replay:
    """What to replay, and how."""

    files: Sequence[Path]
    parameters: Path | None
    config: StackConfig


class _Replayer:
    """The two processes of a replay: dranspose's replay and the device."""

    def __init__(self, request: Replay, folder: Path, stop: threading.Event) -> None:
        self._request = request
        self._stop = stop
        self._ports = Ports()
        port = self._ports.new()
        ports = StackPorts(0, port, port, 0, 0, self._ports.new(), {})
        self.services = Services(request.config, ports, folder)
        self._logs = folder
        self._processes: list[Process] = []
        self._http = httpx.Client(
            base_url=f"http://{LOOPBACK}:{port}/api/v1/", timeout=10.0, trust_env=False
        )

    def close(self) -> None:
        end(self._processes, _PATIENCE)
        self._http.close()
        self._ports.close()

    def start_replay(self) -> None:
        """Start dranspose's replay and wait until it answers, after it has counted the events."""
        config, port = self._request.config, str(self.services.ports.controller)
        options = ["--port", port, "--worker", config.worker_class]
        options += ["--reducer", config.reducer_class, "--workers", str(config.workers)]
        if self._request.parameters is not None:
            options += ["--parameters", str(self._request.parameters)]
        files = [str(file) for file in self._request.files]
        self._start(self.services.replay((*options, *files)))
        self.wait("the replay", lambda: self.ask("config") is not None)

    def start_device(self, values: Mapping[str, Value]) -> None:
        """Start the device and wait until its attributes have these values.

        A device adopts the pipeline's values when it first connects. Writing the attributes
        instead could start a new sum while frames arrive.
        """
        write_property_file(self.services)
        self._start(self.services.device())
        address = self.services.device_address
        self.wait(
            "the Tango device to reach the replay",
            lambda: device_state(address) not in (None, "UNKNOWN"),
        )
        device = connect(address)
        expected = {
            str(PARAMETERS[name].attribute): value
            for name, value in values.items()
            if PARAMETERS[name].attribute is not None
        }
        self.wait(
            "the device to adopt the parameters",
            lambda: all(device.read_attribute(n).value == v for n, v in expected.items()),
        )

    def values(self, names: Sequence[str] | Mapping[str, Value]) -> dict[str, Value]:
        """Return the values that parameters have in the replay.

        Raises:
            ConfigError: one has a value that it cannot take.
        """
        try:
            return {
                name: PARAMETERS[name].decode(self._http.get(f"parameter/{name}").content)
                for name in names
            }
        except ParameterError as error:
            raise ConfigError(f"Parameters {self._request.parameters}: {error}") from error

    def start_frames(self) -> None:
        """Start the frames."""
        self._http.post("replay/start").raise_for_status()

    def ask(self, what: str) -> Any:
        """Return the JSON answer to a GET; None when there is no answer."""
        try:
            return self._http.get(what).raise_for_status().json()
        except httpx.HTTPError:
            return None

    def wait(self, what: str, condition: Callable[[], bool], limit: float | None = _LIMIT) -> None:
        """Wait for a condition.

        Raises:
            StackError: a process ended, or the time limit has passed.
            KeyboardInterrupt: a signal asked to stop.
        """
        start = time.monotonic()
        while not condition():
            for process in self._processes:
                if not process.alive:
                    raise StackError(f"Waiting for {what}: {process.epitaph()}")
            if limit is not None and time.monotonic() - start > limit:
                raise StackError(f"Waited {limit:.0f} s for {what}; gave up (logs: {self._logs}).")
            if self._stop.wait(_POLL):
                raise KeyboardInterrupt

    def _start(self, command: Command) -> None:
        self._processes.append(Process(command, self._logs))


def replay(request: Replay, ready_file: Path | None, keep_alive: bool, console: Console) -> None:
    """Replay files and show the results; `keep_alive` serves them until SIGINT or SIGTERM.

    Raises:
        MissingPart: a file is not there.
        ConfigError: a parameter has a value that it cannot take, or the output no folder can be.
        StackError: a process ended, or did not answer.
    """
    for file in (*request.files, *([request.parameters] if request.parameters else [])):
        if not file.is_file():
            raise MissingPart(f"{file}: no such file.")
    if output := request.config.properties.get("OutputFolder"):
        try:
            Path(output).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"Output {output}: {error.strerror}.") from error
    if ready_file is not None:
        remove_ready_file(ready_file)
    stop = stop_on_signals()
    with tempfile.TemporaryDirectory(prefix="femtotango-replay-") as folder:
        replayer = _Replayer(request, Path(folder), stop)
        try:
            _run(replayer, ready_file, console)
            if keep_alive:
                console.print("Serving the results; stop with Ctrl-C.")
                replayer.wait("Ctrl-C", lambda: False, limit=None)
        except KeyboardInterrupt:
            return
        finally:
            if ready_file is not None:
                ready_file.unlink(missing_ok=True)
            replayer.close()


def _run(replayer: _Replayer, ready_file: Path | None, console: Console) -> None:
    with console.status("Reading the recording …"):
        replayer.start_replay()
        values = replayer.values(list(PARAMETERS))
    with console.status("Starting the Tango device …"):
        replayer.start_device({n: v for n, v in values.items() if v != PARAMETERS[n].default})
    address = replayer.services.device_address
    console.print(f"device   {address}", highlight=False, soft_wrap=True)
    console.print(
        f"reducer  {replayer.services.addresses.reducer}", highlight=False, soft_wrap=True
    )
    device = connect(address)
    replayer.start_frames()
    # Before its first event the device has no scan, and that counts as finished.
    replayer.wait("the first event", lambda: device.read_attribute("ScanNumber").value > 0)
    if ready_file is not None:
        write_ready_file(ready_file, replayer.services.ready_info())
    with Progress(console=console) as bar:
        task = bar.add_task("events", total=None)

        def ended() -> bool:
            progress = replayer.ask("progress")
            if progress is None:
                return False
            total, completed = progress["total_events"], progress["completed_events"]
            bar.update(task, total=total, completed=completed)
            return bool(progress["finished"])

        replayer.wait("the end of the recording", ended, limit=None)
    replayer.wait("the results", lambda: bool(device.read_attribute("ScanFinished").value))
    console.print(device_table(device))
