"""Child processes that end when they are told to, and when their parent ends."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from femtotango.stack.command import Command, command_line, start_process
from femtotango.stack.forks import ForkServer

_POLL = 0.02
_TAIL = 6


class Process:
    """One running command, with its log file."""

    def __init__(
        self, command: Command, log_folder: Path, fork_server: ForkServer | None = None
    ) -> None:
        """Start the command; its output is appended to ``NAME.log``.

        Args:
            command: to start.
            log_folder: where its output goes.
            fork_server: starts what is Python faster.
        """
        self.command = command
        self.log = log_folder / f"{command.name}.log"
        forked = fork_server.start(command, self.log) if fork_server and command.is_python else None
        self._process = forked or start_process(
            command_line(command), command.environment, self.log
        )

    def __repr__(self) -> str:
        return f"<Process {self.command.name} {self.pid} {self.exit_code}>"

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, or None while it runs."""
        return self._process.poll()

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.exit_code is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal when it still runs."""
        if self.alive:
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL, from any thread: it may end at the same moment."""
        with suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)

    def epitaph(self) -> str:
        """Say how it ended, with the last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL:]
        return "\n  ".join(
            [f"{self.command.name} ended with {self.exit_code}; {self.log}:", *lines]
        )


def end(processes: Iterable[Process], patience: float) -> None:
    """End processes: SIGTERM to all, and SIGKILL to those that are still there later.

    Args:
        processes: any of them may have ended already.
        patience: time between the two signals [s].
    """
    waiting = [p for p in processes if p.alive]
    for process in waiting:
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(p.alive for p in waiting) and time.monotonic() < deadline:
        time.sleep(_POLL)
    for process in waiting:
        process.signal(signal.SIGKILL)
    for process in waiting:
        while process.alive:
            time.sleep(_POLL)
