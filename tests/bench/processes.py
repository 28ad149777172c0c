"""The processes of a stack, by name, and what they take."""

from collections.abc import Mapping
from contextlib import suppress

import psutil
from support.stack_parts import SIGNS


def named_processes(pid: int) -> dict[str, list[psutil.Process]]:
    """Return the processes of a stack by their part in it, and `up` itself.

    Args:
        pid: of `femtotango up`.
    """
    up = psutil.Process(pid)
    named: dict[str, list[psutil.Process]] = {"up": [up]}
    for child in up.children(recursive=True):
        named.setdefault(_name(child.cmdline()), []).append(child)
    return named


def _name(line: list[str]) -> str:
    words = " ".join(line)
    for name, sign in SIGNS.items():
        if sign in words:
            return name
    return line[line.index("-n") + 1] if "-n" in line else words


def processor_times(pid: int) -> dict[str, float]:
    """Return the processor time of each part of a stack, user and system [s]."""
    return {name: sum(map(processor_time, found)) for name, found in named_processes(pid).items()}


def shares(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict:
    """Return the share of a core that each part took [%]."""
    return {name: 100 * (after[name] - before.get(name, 0.0)) / seconds for name in after}


def processor_time(process: psutil.Process) -> float:
    """Return the processor time of a process, user and system [s]; 0 when it has ended."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0
