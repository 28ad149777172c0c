"""All processes of one stack: started in order, watched, restarted, ended in order."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from pathlib import Path

import redis

from femtotango.stack.answers import Answers
from femtotango.stack.command import Command
from femtotango.stack.config import StackConfig
from femtotango.stack.dranspose_state import DransposeState
from femtotango.stack.errors import PortError, StackError
from femtotango.stack.files import lock_folder, logs_of, make_folder
from femtotango.stack.forks import ForkServer
from femtotango.stack.liveness import Patience, Watchdog
from femtotango.stack.logs import begin_logs, end_logs, shorten
from femtotango.stack.pauses import Pauses
from femtotango.stack.ports import IngesterPorts, Ports
from femtotango.stack.processes import Process, end
from femtotango.stack.property_file import write_property_file
from femtotango.stack.registration import register_device
from femtotango.stack.services import (
    CONTROLLER,
    DATABASE,
    DEVICE,
    IMPORTED,
    REDIS,
    REDUCER,
    Services,
)
from femtotango.stack.stack_ports import StackPorts
from femtotango.stack.tango_client import database_answers, device_state

_POLL = 0.1
_START_LIMIT = 90.0
_PATIENCE = 5.0
"""Between SIGTERM and SIGKILL at the end of the stack [s]."""
_SHORT_PATIENCE = 1.0
"""The same for what is only restarted: it has nothing left to do, and a scan waits for it [s]."""
_BASIS = (REDIS, DATABASE)
"""What the others need when they end."""
_SHORTEN = 1.0
"""Pause between two looks at the size of the logs [s]."""
_DEVICE_LOOKS = 2.0
"""The device has asked the controller again after so long [s]."""
_AFTER_ERROR = 1.0
"""Pause after an error that nobody has thought of [s]."""

logger = logging.getLogger(__name__)


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
            StackError: another stack uses the folder, or it cannot be made.
        """
        self._say = say
        self._stop = stop
        with ExitStack() as unless_all_is_well:
            self._ports = unless_all_is_well.enter_context(Ports())
            ports = StackPorts.choose(config, self._ports)
            self._temporary = state is None
            self.folder = make_folder(state)
            self._logs = logs_of(self.folder)
            self._lock = unless_all_is_well.enter_context(lock_folder(self.folder))
            self._own_log = begin_logs(self._logs)
            unless_all_is_well.pop_all()
        self.services = Services(config, ports, self.folder, keep_journal=state is not None)
        self._ingester_ports = IngesterPorts(self._ports)
        self._fork_server = ForkServer(
            IMPORTED, self.services.environment, self._logs / "fork-server.log"
        )
        self.processes: dict[str, Process] = {}
        self._pauses = Pauses()
        self._mourned: set[Process] = set()
        """Those of which the end was told."""
        self._recovering_since: float | None = None
        self._told_at = 0.0
        """When the user was last told that the recovery takes long, or its begin."""
        self._shorten_at = 0.0
        """When the size of the logs is looked at again."""
        self._gone: set[str] = set()
        """uuids of services that were restarted; dranspose lists them for another 10 s."""
        self._dranspose = DransposeState(self.services)

    def start(self) -> None:
        """Start everything and return when scans can be taken.

        Raises:
            StackError: a process ended, or the stack was not ready in time.
            Interrupted: `stop` was set meanwhile.
        """
        self._fork_server.begin()
        if self.services.config.database:
            self._start(self.services.database())
        self._start_redis()
        self._wait("the fork server to import what all parts need", self._fork_server.settled)
        self._start_pipeline()
        if self.services.config.device:
            self._start_device()
        self._wait_ready()
        if self.services.config.device:
            self._wait_for_device()

    def end(self) -> None:
        """End all processes."""
        end((p for n, p in self.processes.items() if n not in _BASIS), _PATIENCE)
        end((p for n, p in self.processes.items() if n in _BASIS), _PATIENCE / 2)
        self._fork_server.close()
        self._dranspose.close()
        self._ports.close()
        end_logs(self._own_log)
        self._lock.close()

    def _tell(self, text: str) -> None:
        logger.warning(text)
        self._say(text)

    def remove_folder(self) -> None:
        """Remove a temporary folder with its logs."""
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def watch(self) -> None:
        """Restart what ends or hangs, until `stop` is set; no error ends this."""
        config = self.services.config
        patience = Patience(float(config.patience), float(config.hang_patience))
        with (
            Answers(self.services, self._stop) as answers,
            Watchdog(lambda: self.processes, answers.ask, patience, self._tell, self._stop),
        ):
            while not self._stop.wait(_POLL):
                try:
                    self._look_after()
                except Interrupted:
                    return
                except (StackError, PortError, redis.RedisError) as error:
                    self._tell(f"Not recovered, trying again: {error}")
                except Exception as error:
                    logger.exception("the watch goes on")
                    self._tell(
                        f"Unexpected error in the watch; it goes on: {error!r} "
                        f"(more in {self._logs / 'up.log'})"
                    )
                    self._stop.wait(_AFTER_ERROR)

    def _look_after(self) -> None:
        """Start what has ended and has had its pause, and say when all is well again."""
        now = time.monotonic()
        dead = {name for name, process in self.processes.items() if not process.alive}
        for name in dead:
            process = self.processes[name]
            if process not in self._mourned:
                self._mourned.add(process)
                self._tell(process.epitaph())
        due = {name for name in dead if self._pauses.is_over(name, now)}
        if REDIS in dead and REDIS not in due:
            due &= {DATABASE, DEVICE}  # the others are restarted with it
        if DEVICE in due and not self._device_can_start(dead):
            due.remove(DEVICE)
        if dead and self._recovering_since is None:
            self._recovering_since = self._told_at = now
        if due:
            for name in due:
                self._pauses.begin(name, now)
            self._recover(due)
        elif self._recovering_since is not None and not dead:
            self._say_when_ready(self._recovering_since, now)
        if now >= self._shorten_at:
            self._shorten_at = now + _SHORTEN
            shorten(self._logs)

    def _say_when_ready(self, since: float, now: float) -> None:
        left = self._not_ready()
        if not left:
            self._tell(f"Recovered in {now - since:.1f} s.")
            self._recovering_since = None
            self._gone.clear()
            self._mourned.clear()
        elif now - self._told_at > _START_LIMIT:
            self._told_at = now
            self._tell(f"Not recovered after {now - since:.0f} s, waiting on: {left}")

    def _device_can_start(self, dead: Collection[str]) -> bool:
        if not self.services.config.database:
            return True
        return DATABASE not in dead and database_answers(self.services.tango_host)

    def _recover(self, dead: set[str]) -> None:
        """Start processes without waiting until they are ready: others may need us meanwhile."""
        listed = {} if REDIS in dead else self._dranspose.listed()
        before = dict(self.processes)
        if DATABASE in dead:
            self._start(self.services.database())
        if REDIS in dead:
            self._end([n for n in self.processes if n not in (*_BASIS, DEVICE)])
            self._start_redis()
            self._start_pipeline()
            dead -= {n for n in self.processes if n not in (DATABASE, DEVICE)}
        if CONTROLLER in dead:
            self._dranspose.free_lock()
            self._start(self.services.controller())
        if REDUCER in dead:
            self._start(self.services.reducer())
        pipeline = {*self.services.worker_names, *self.services.ingester_names}
        if dead & pipeline:
            # before the ingesters go: the device names what it misses first
            self._dranspose.forget([*(dead & pipeline)])
            # an ingester cannot send any more once a worker has gone, and workers do not find it
            # again when it comes back on the same port
            self._end(self.services.ingester_names)
            self._dranspose.forget([*self.services.ingester_names, *dead])
            for name in self.services.worker_names:
                if name in dead:
                    self._start(self.services.worker(name))
            self._start_ingesters()
        if DEVICE in dead:
            self._start_device()
        restarted = {n for n, p in self.processes.items() if before.get(n) is not p}
        self._gone |= {uuid for name, uuid in listed.items() if name in restarted}

    def _start(self, command: Command) -> None:
        self.processes[command.name] = Process(command, self._logs, self._fork_server)
        self._pauses.begin(command.name, time.monotonic())

    def _end(self, names: Iterable[str]) -> None:
        end([self.processes[n] for n in names if n in self.processes], _SHORT_PATIENCE)

    def _start_redis(self) -> None:
        self._start(self.services.redis())
        self._wait("Redis", self._dranspose.redis_answers, needed=(REDIS,))

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
            register_device(self.services, self.folder)
        else:
            write_property_file(self.services)
        self._start(self.services.device())

    def _wait_database(self) -> None:
        self._wait(
            "the Tango database",
            lambda: database_answers(self.services.tango_host),
            needed=(DATABASE,),
        )

    def _wait_ready(self) -> None:
        left = ""

        def ready() -> bool:
            nonlocal left
            left = self._not_ready()
            return not left

        self._wait("dranspose", ready, lambda: left)

    def _wait_for_device(self) -> None:
        since = time.monotonic()

        def reached() -> bool:
            state = device_state(self.services.device_address)
            # Its newest look may be of before the workers were there.
            looked = state != "FAULT" or time.monotonic() - since > _DEVICE_LOOKS
            return looked and state not in (None, "UNKNOWN")

        self._wait("the Tango device to reach the pipeline", reached)

    def _not_ready(self) -> str:
        """Say what keeps dranspose from taking a scan; empty: nothing."""
        return self._dranspose.not_ready(self._gone)

    def _wait(
        self,
        what: str,
        condition: Callable[[], bool],
        why: Callable[[], str] = lambda: "",
        needed: Collection[str] = (),
    ) -> None:
        """Wait for a condition.

        Args:
            what: is waited for, for messages.
            condition: asked again and again.
            why: tells what is missing when the time is over.
            needed: processes that must not end meanwhile; empty: any.
        """
        deadline = time.monotonic() + _START_LIMIT
        while not condition():
            names = needed or tuple(self.processes)
            dead = [self.processes[name] for name in names if not self.processes[name].alive]
            if dead:
                raise StackError(f"Waiting for {what}: {dead[0].epitaph()}")
            if time.monotonic() > deadline:
                raise StackError(
                    f"Waited {_START_LIMIT:.0f} s for {what} in vain. {why()} (logs: {self._logs})"
                )
            if self._stop.wait(_POLL):
                raise Interrupted
