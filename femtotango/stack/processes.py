"""Child processes that end when they are told to, and when their parent ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_POLL = 0.02
_TAIL = 6


@dataclass(frozen=True)
class Command:
    """What a process runs."""

    name: str
    target: str
    """``module:function``, or a program."""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""


class Process:
    """One running command, with its log file."""

    def __init__(self, command: Command, log_folder: Path) -> None:
        """Start the command; its output is appended to ``NAME.log``."""
        self.command = command
        self.log = log_folder / f"{command.name}.log"
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [*launcher(), command.target, *command.arguments],
                env={**os.environ, **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us alone: we end the others in order
            )

    def __repr__(self) -> str:
        return f"<Process {self.command.name} {self.pid} {self.exit_code}>"

    @property
    def pid(self) -> int:
        """Process id."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, or None while it runs."""
        return self._popen.poll()

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


def launcher() -> list[str]:
    """Return the beginning of a command line that ties a process to this one.

    `-P` keeps the working folder out of the search for modules: a file ``pipeline.py`` that happens
    to lie there is none of ours. What the user adds, stands on PYTHONPATH.
    """
    return [sys.executable, "-P", "-m", "femtotango.stack.launch", str(os.getpid())]


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
