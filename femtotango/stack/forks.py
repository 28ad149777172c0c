"""Starts parts of a stack by forking a process that has imported everything already."""

import json
import logging
import os
import select
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from femtotango.stack.command import Command, command_line, launcher, start_process
from femtotango.stack.launch import adopt_orphans

_LARGEST = 1000
_LIMIT = 5.0
"""Until a fork has told its process id [s]."""
_TARGET = "femtotango.stack.fork_server:main"

logger = logging.getLogger(__name__)


class Forked:
    """A child of this process that the fork server has forked; used as `subprocess.Popen` is."""

    def __init__(self, pid: int) -> None:
        """Take its process id."""
        self.pid = pid
        self._exit_code: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        with self._lock:
            if self._exit_code is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self._exit_code = os.waitstatus_to_exitcode(status)
            return self._exit_code


class ForkServer:
    """The fork server of this process. One that dies or hangs is replaced; parts do not need it."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """Prepare; `begin` starts it.

        Args:
            modules: to import; none of them may start a thread, which a fork would not have.
            environment: added to our own; what imports look at has to be in it.
            log: file of its output.
        """
        self._modules = modules
        self._environment = environment
        self._log = log
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start it, and become the parent of what it forks."""
        adopt_orphans()
        self._begin()

    def _begin(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_LIMIT)
        self._orders = ours
        self._greeted = False
        with theirs:
            line = [*launcher(), _TARGET, str(theirs.fileno())]
            self._process = start_process(line, self._environment, self._log, [theirs.fileno()])
        ours.send(json.dumps(self._modules).encode())

    def settled(self) -> bool:
        """Tell whether it has imported everything, or never will."""
        assert self._process is not None
        return self._is_ready() or self._process.poll() is not None

    def _is_ready(self) -> bool:
        if not self._greeted and select.select([self._orders], [], [], 0)[0]:
            self._greeted = self._heard() == os.getpid()
        return self._greeted

    def start(self, command: Command, log: Path) -> Forked | None:
        """Start a Python command.

        Args:
            command: with a target of the kind ``module:function``.
            log: file to which its output is appended.

        Returns:
            The process; None while the fork server imports, and when it has died or hangs: the
            command has to be started in another way.
        """
        with self._lock:
            if self._process is None or not self.settled():
                return None
            pid = self._ask(command, log)
            if pid is None:
                logger.warning("the fork server is replaced; %s starts without it", command.name)
                self._begin()
                return None
        return Forked(pid)

    def _ask(self, command: Command, log: Path) -> int | None:
        order = {
            "title": " ".join(command_line(command)),
            "target": command.target,
            "arguments": command.arguments,
            "environment": dict(command.environment),
            "log": str(log.absolute()),
        }
        with suppress(OSError):
            self._orders.send(json.dumps(order).encode())
        # What was forked in the last moment has said so before its end of the socket is closed.
        return self._heard() or self._end()

    def _heard(self) -> int | None:
        """Return the process id that was said; None: nothing in time, or its end is closed."""
        try:
            said = self._orders.recv(_LARGEST)
        except OSError:
            return None
        return int(said) if said else None

    def _end(self) -> int | None:
        """Kill the fork server; return what it had still to say."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        heard = self._heard()
        self._orders.close()
        return heard

    def close(self) -> None:
        """End the fork server; what it has forked goes on."""
        with self._lock:
            if self._process is not None:
                self._end()
