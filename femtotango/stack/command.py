"""What a process of a stack runs."""

import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """What a process runs."""

    name: str
    target: str
    """``module:function``, or a program."""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""

    @property
    def is_python(self) -> bool:
        """Tell whether a function of ours runs, not a program."""
        return ":" in self.target


def launcher() -> list[str]:
    """Return the beginning of a command line that ties a process to this one.

    `-P` keeps the working folder out of the search for modules: a file ``pipeline.py`` that happens
    to lie there is none of ours. What the user adds, stands on PYTHONPATH.
    """
    return [sys.executable, "-P", "-m", "femtotango.stack.launch", str(os.getpid())]


def command_line(command: Command) -> list[str]:
    """Return what starts a command as a child of this process."""
    return [*launcher(), command.target, *command.arguments]


def start_process(
    line: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    keep: Collection[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own: Ctrl-C is for us alone, we end the others in order.

    Args:
        line: its command line.
        environment: added to our own.
        log: file to which its output is appended.
        keep: file descriptors that it gets too.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            line,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=keep,
            start_new_session=True,
        )
