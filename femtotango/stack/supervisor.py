"""All processes of one stack: started in order, watched, restarted, ended in order."""

import fcntl
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import redis

from femtotango.dranspose_client.http import Controller
from femtotango.errors import PipelineError
from femtotango.stack.config import StackConfig
from femtotango.stack.errors import PortError, StackError
from femtotango.stack.launch import LOOPBACK
from femtotango.stack.ports import IngesterPorts, Ports
from femtotango.stack.processes import Command, Process, end
from femtotango.stack.services import (
    CONTROLLER,
    DATABASE,
    DEVICE,
    REDIS,
    REDUCER,
    Services,
    StackPorts,
)
from femtotango.stack.tango_client import database_answers, device_state
from pipeline.files.atomic import FileError, write_over
from tango_db.register import RegisterError, register

_POLL = 0.1
_START_LIMIT = 90.0
_PATIENCE = 5.0
_BASIS = (REDIS, DATABASE)
"""What the others need when they end."""
_CALM = 60.0
"""A process that lived as long is restarted at once when it ends."""
_LONGEST_PAUSE = 30.0


class Interrupted(Exception):
    """The stack was told to end while it waited for something."""


class Stack:
    """One stack on this machine.

    All methods are called from one thread that lives as long as the stack: the kernel ends child
    processes when the thread ends that started them.
    """

    def __init__(
        self,
        config: StackConfig,
        say: Callable[[str], None],
        stop: threading.Event,
        state: Path | None = None,
    ) -> None:
        """Choose ports and folders.

        Args:
            config: what to run.
            say: shows one sentence to the user.
            stop: set from outside, ends whatever the stack waits for.
            state: folder of logs and Tango database; None: a new one that `remove_folder` removes.

        Raises:
            PortError: a configured port is in use.
            StackError: another stack uses the folder.
        """
        self._say = say
        self._stop = stop
        with ExitStack() as unless_all_is_well:
            self._ports = unless_all_is_well.enter_context(Ports())
            ports = StackPorts.choose(config, self._ports)
            self._temporary = state is None
            self.folder = Path(tempfile.mkdtemp(prefix="femtotango-")) if state is None else state
            self._logs = self.folder / "logs"
            self._logs.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.folder)
            unless_all_is_well.pop_all()
        self.services = Services(config, ports, self.folder)
        self._ingester_ports = IngesterPorts(self._ports)
        self.processes: dict[str, Process] = {}
        self._born: dict[str, float] = {}
        self._pause: dict[str, float] = {}
        self._controller = Controller(self.services.addresses.controller)

    def start(self) -> None:
        """Start everything and return when scans can be taken.

        Raises:
            StackError: a process ended, or the stack was not ready in time.
            Interrupted: `stop` was set meanwhile.
        """
        if self.services.config.database:
            self._start(self.services.database())
        self._start_redis()
        self._start_pipeline()
        if self.services.config.device:
            self._start_device()
        self._wait_ready(gone=())
        if self.services.config.device:
            address = self.services.device_address
            self._wait(
                "the Tango device to reach the pipeline",
                lambda: device_state(address) not in (None, "UNKNOWN"),
            )

    def end(self) -> None:
        """End all processes."""
        end((p for n, p in self.processes.items() if n not in _BASIS), _PATIENCE)
        end((p for n, p in self.processes.items() if n in _BASIS), _PATIENCE / 2)
        self._controller.close()
        self._ports.close()
        self._lock.close()

    def remove_folder(self) -> None:
        """Remove a temporary folder with its logs."""
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def watch(self) -> None:
        """Restart what ends, until `stop` is set."""
        while not self._stop.wait(_POLL):
            dead = [name for name, process in self.processes.items() if not process.alive]
            if not dead:
                continue
            for name in dead:
                self._say(self.processes[name].epitaph())
            started = time.monotonic()
            try:
                self._take_breath(dead)
                self._recover(set(dead))
            except (StackError, PortError, redis.RedisError) as error:
                self._say(f"Not recovered, trying again: {error}")
            except Interrupted:
                return
            else:
                self._say(f"Recovered in {time.monotonic() - started:.1f} s.")

    def _take_breath(self, names: Iterable[str]) -> None:
        """Wait before the restart of what ends again and again."""
        for name in names:
            lived = time.monotonic() - self._born[name]
            last = 0.0 if lived > _CALM else self._pause.get(name, 0.0)
            self._pause[name] = min(_LONGEST_PAUSE, 2 * last or 0.25)
            if last and self._stop.wait(last):
                raise Interrupted

    def _recover(self, dead: set[str]) -> None:
        gone = {} if REDIS in dead else self._listed()
        before = dict(self.processes)
        if DATABASE in dead:
            self._start(self.services.database())
            self._wait_database()
        if REDIS in dead:
            self._end([n for n in self.processes if n not in (*_BASIS, DEVICE)])
            self._start_redis()
            self._start_pipeline()
            dead -= {n for n in self.processes if n not in (DATABASE, DEVICE)}
        if CONTROLLER in dead:
            self._redis().delete("dranspose:controller_lock")  # a new one would wait 10 s for it
            self._start(self.services.controller())
        if REDUCER in dead:
            self._start(self.services.reducer())
        pipeline = {*self.services.worker_names, *self.services.ingester_names}
        if dead & pipeline:
            # an ingester cannot send any more once a worker has gone, and workers do not find it
            # again when it comes back on the same port
            self._end(self.services.ingester_names)
            self._forget([*self.services.ingester_names, *dead])
            for name in self.services.worker_names:
                if name in dead:
                    self._start(self.services.worker(name))
            self._start_ingesters()
        if DEVICE in dead:
            self._start_device()
        restarted = {n for n, p in self.processes.items() if before.get(n) is not p}
        self._wait_ready({uuid for name, uuid in gone.items() if name in restarted})

    def _listed(self) -> dict[str, str]:
        try:
            return self._controller.config().uuids
        except PipelineError:
            return {}

    def _redis(self) -> redis.Redis:
        return redis.Redis(LOOPBACK, self.services.ports.redis, socket_timeout=5.0)

    def _forget(self, names: Iterable[str]) -> None:
        kinds = dict.fromkeys(self.services.worker_names, "worker")
        kinds |= dict.fromkeys(self.services.ingester_names, "ingester")
        keys = [f"dranspose:{kinds[name]}:{name}:config" for name in names if name in kinds]
        if keys:
            self._redis().delete(*keys)

    def _start(self, command: Command) -> None:
        self.processes[command.name] = Process(command, self._logs)
        self._born[command.name] = time.monotonic()

    def _end(self, names: Iterable[str]) -> None:
        end([self.processes[n] for n in names if n in self.processes], _PATIENCE)

    def _start_redis(self) -> None:
        self._start(self.services.redis())

        def answers() -> bool:
            try:
                return bool(self._redis().ping())
            except redis.ConnectionError:
                return False

        self._wait("Redis", answers)

    def _start_pipeline(self) -> None:
        self._start(self.services.controller())
        self._start(self.services.reducer())
        self._start_ingesters()
        for name in self.services.worker_names:
            self._start(self.services.worker(name))

    def _start_ingesters(self) -> None:
        for name in self.services.ingester_names:
            self._start(self.services.ingester(name, self._ingester_ports.new(name)))

    def _start_device(self) -> None:
        if self.services.config.database:
            self._wait_database()
            self._register()
        else:
            self.services.write_property_file()
        self._start(self.services.device())

    def _register(self) -> None:
        try:
            register(
                device=self.services.config.device,
                properties=self.services.properties,
                tango_host=self.services.tango_host,
            )
        except RegisterError as error:
            raise StackError(str(error)) from error

    def _wait_database(self) -> None:
        self._wait("the Tango database", lambda: database_answers(self.services.tango_host))

    def _wait_ready(self, gone: Iterable[str]) -> None:
        left: tuple[str, ...] = ()
        workers, ingesters = self.services.worker_names, self.services.ingester_names
        ended = frozenset(gone)

        def ready() -> bool:
            nonlocal left
            try:
                config = self._controller.config().without(ended)
                left = config.not_ready(workers=workers, ingesters=ingesters)
            except PipelineError as error:
                left = (str(error),)
            return not left

        self._wait("dranspose", ready, lambda: ", ".join(left))

    def _wait(
        self, what: str, condition: Callable[[], bool], why: Callable[[], str] = lambda: ""
    ) -> None:
        deadline = time.monotonic() + _START_LIMIT
        while not condition():
            dead = [p for p in self.processes.values() if not p.alive]
            if dead:
                raise StackError(f"Waiting for {what}: {dead[0].epitaph()}")
            if time.monotonic() > deadline:
                raise StackError(
                    f"Waited {_START_LIMIT:.0f} s for {what} in vain. {why()} (logs: {self._logs})"
                )
            if self._stop.wait(_POLL):
                raise Interrupted


def _locked(folder: Path) -> TextIO:
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StackError(
            f"Another stack uses the folder {folder}: end it, or give another one."
        ) from error
    return lock


def write_ready_file(path: Path, info: dict[str, object]) -> None:
    """Write the addresses so that nobody sees half a file.

    Raises:
        StackError: it cannot be written.
    """
    try:
        write_over(path, json.dumps(info, indent=1))
    except FileError as error:
        raise StackError(f"Ready file {error}") from error
