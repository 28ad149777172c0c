"""A stack that recovers again and again keeps nothing of what it had before."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.repeats import repeats

from femtotango.stack import supervisor
from femtotango.stack.command import Command
from femtotango.stack.config import StackConfig
from femtotango.stack.forks import ForkServer
from femtotango.stack.processes import Process, end
from femtotango.stack.services import REDIS
from femtotango.stack.supervisor import Stack

RECOVERIES = repeats(60, 250)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch) -> Iterator[Stack]:
    def sleeping(command: Command, logs: Path, _: ForkServer) -> Process:
        if command.name == REDIS:
            return Process(command, logs)
        return Process(Command(command.name, "sleep", ("600",)), logs)

    monkeypatch.setattr(supervisor, "Process", sleeping)
    config = StackConfig(database=False, device="", sardana=False, streams={"pilatus": ""})
    stack = Stack(config, lambda _: None, threading.Event(), tmp_path)
    try:
        stack._start_redis()
        stack._start_pipeline()
        yield stack
    finally:
        stack.end()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_files_ports_and_processes_stay_the_same(stack: Stack):
    this = psutil.Process()

    def kept() -> tuple[int, int, int, int]:
        ports = len(stack._ports._reservations)
        return this.num_fds(), ports, len(this.children()), this.num_threads()

    for number in range(RECOVERIES):
        if number == 3:
            after_a_few = kept()
        end([stack.processes["worker1"]], 0.0)
        stack._recover({"worker1"})
    # One more or less: Python closes some a moment later. A leak would be as many as recoveries.
    assert all(abs(now - then) <= 2 for now, then in zip(kept(), after_a_few, strict=True))
    assert {name for name, process in stack.processes.items() if not process.alive} == set()
