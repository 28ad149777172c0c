"""A stack or a replay as a child process, for demo, benchmarks and tests."""

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from femtotango.stack.command import launcher, start_process
from femtotango.stack.errors import StackError

_POLL = 0.05
_LIMIT = 120.0
_END_LIMIT = 15.0


@contextmanager
def running(
    arguments: Sequence[str], environment: dict[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """Run a command of ours that writes a ready file, until the block is left.

    Args:
        arguments: ``["up", …]`` or ``["replay", …]`` without ``--ready-file``.
        environment: added to our own.

    Yields:
        What the ready file says, and ``pid`` of the command.

    Raises:
        StackError: it ended before it was ready, or did not become ready.
    """
    with tempfile.TemporaryDirectory(prefix="femtotango-run-") as folder:
        ready, output = Path(folder, "ready.json"), Path(folder, "output.txt")
        line = [*launcher(), "--term", "femtotango.cli:main", *arguments]
        line += ["--ready-file", str(ready)]
        process = start_process(line, environment or {}, output)
        try:
            _wait_for(ready, process, output)
            yield {**json.loads(ready.read_text()), "pid": process.pid}
        finally:
            _end(process)


def _wait_for(ready: Path, process: "subprocess.Popen[bytes]", output: Path) -> None:
    deadline = time.monotonic() + _LIMIT
    while not ready.exists():
        if process.poll() is not None:
            raise StackError(output.read_text().strip() or f"It ended with {process.returncode}.")
        if time.monotonic() > deadline:
            raise StackError(f"Not ready after {_LIMIT:.0f} s:\n{output.read_text()}")
        time.sleep(_POLL)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
