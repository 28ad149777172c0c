"""Parts that a process forks which has imported everything already."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.waiting import wait_for

PARENT = """
import json, os, signal, sys, time
from pathlib import Path
from femtotango.stack.command import Command, command_line
from femtotango.stack.forks import ForkServer
from femtotango.stack.processes import Process

folder = Path(sys.argv[1])
imported = ["json.tool", "pipeline.reducer.published_safety"]
fork_server = ForkServer(imported, {}, folder / "fork-server.log")
fork_server.begin()

def settle():
    while not fork_server.settled():
        time.sleep(0.01)

def start(name, *arguments):
    command = Command(name, "part:run", arguments, {"COLOUR": "blue", "SHAPE": "round"})
    process = Process(command, folder, fork_server)
    print(json.dumps([process.pid, command_line(command)]), flush=True)
    return process

for line in sys.stdin:
    exec(line)
"""
PART = """
import json, os, sys, time
def run():
    facts = {
        "colour": os.environ["COLOUR"], "shape": os.environ["SHAPE"], "arguments": sys.argv[1:],
        "parent": os.getppid(), "session": os.getsid(0), "imported": "json.tool" in sys.modules,
    }
    if "identity" in sys.argv:
        from pipeline.reducer.published_safety import process_identity
        facts = {"identity": process_identity()}
    print(json.dumps(facts), flush=True)
    if "end" in sys.argv:
        sys.exit(3)
    time.sleep(600)
"""


class Parent:
    """A process that starts parts; it is asked line by line."""

    def __init__(self, folder: Path) -> None:
        (folder / "part.py").write_text(PART)
        path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def ask(self, line: str) -> list:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def facts(self, name: str) -> dict:
        log = self._folder / f"{name}.log"
        wait_for(lambda: log.exists() and log.read_text().endswith("\n"))
        return json.loads(log.read_text())

    def close(self) -> None:
        with self.process:
            self.process.kill()


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Parent]:
    parent = Parent(tmp_path)
    yield parent
    parent.close()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_fork_is_what_a_started_process_is(parent: Parent):
    pid, line = parent.ask("settle(); first = start('first', 'x y')")
    assert parent.facts("first") == {
        "colour": "blue",
        "shape": "round",
        "arguments": ["x y"],
        "parent": parent.process.pid,
        "session": pid,
        "imported": True,
    }
    assert " ".join(psutil.Process(pid).cmdline()).split() == " ".join(line).split()
    parent.ask("last = start('last', 'end')")
    code = "while last.alive: time.sleep(0.01)\nprint(last.exit_code, flush=True)"
    assert parent.ask(f"exec({code!r})") == 3
    assert parent.ask("first.kill(); exec('while first.alive: pass'); print(first.exit_code)") == -9


def test_each_fork_has_an_identity_of_its_own(parent: Parent):
    parent.ask("settle(); start('first', 'identity')")
    parent.ask("start('second', 'identity')")
    first, second = parent.facts("first"), parent.facts("second")
    assert len(first["identity"]) == 32
    assert first != second


def test_a_part_starts_without_while_the_fork_server_imports(parent: Parent):
    parent.ask("start('first')")
    assert not parent.facts("first")["imported"]


@pytest.mark.parametrize("how", ["SIGKILL", "SIGSTOP"])
def test_a_fork_server_that_dies_or_hangs_is_replaced(parent: Parent, how: str):
    first, _ = parent.ask("settle(); start('first')")
    parent.ask("from femtotango.stack import forks; forks._LIMIT = 0.5; print(0, flush=True)")
    parent.ask(f"os.kill(fork_server._process.pid, signal.{how}); start('second')")
    assert not parent.facts("second")["imported"]
    parent.ask("settle(); start('third')")
    assert parent.facts("third")["imported"]
    assert not gone(first)


def test_forks_end_with_their_parent(parent: Parent):
    pids = [parent.ask(f"settle(); start('{name}')")[0] for name in ("first", "second")]
    server = parent.ask("print(fork_server._process.pid, flush=True)")
    os.kill(parent.process.pid, signal.SIGKILL)
    wait_for(lambda: all(gone(pid) for pid in [*pids, server]))
