"""A server as a process of its own: waited for until it is ready, and ended whatever happens."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.waiting import PATIENCE, wait_for


@contextmanager
def running_server(
    command: Sequence[str | Path],
    log: Path,
    ready: Callable[[], Any],
    environment: Mapping[str, str] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block is left; it ends too when these tests are killed.

    Args:
        command: to run.
        log: file that takes what it writes.
        ready: tells whether it answers.
        environment: added to our own.
    """
    line = [sys.executable, "-m", "femtotango.stack.launch", str(os.getpid()), *command]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            line, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        ) as process,
    ):
        try:
            wait_for(
                lambda: process.poll() is not None or ready(),
                lambda: f"{command} to be ready:\n{log.read_text()}",
            )
            assert process.poll() is None, f"{command} ended:\n{log.read_text()}"
            yield process
        finally:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process: SIGTERM, and SIGKILL when that is ignored."""
    process.terminate()
    try:
        process.wait(PATIENCE / 5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def takes_requests(log: Path) -> bool:
    """Tell whether a Tango server has written that it is ready."""
    return b"Ready to accept request" in log.read_bytes()
