"""What a process of a stack runs."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field


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
