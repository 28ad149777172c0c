"""The watch over processes: it goes on whatever happens, and nobody waits for somebody else."""

import sys
import threading
from pathlib import Path

import pytest
from support.waiting import wait_for

from femtotango.stack.command import Command
from femtotango.stack.config import StackConfig
from femtotango.stack.supervisor import Stack


class Sleepers(Stack):
    """A stack of sleeping processes; `faulty` ends at once, and each time again."""

    errors: tuple[Exception, ...] = ()

    def begin(self) -> None:
        for name in ("sound", "faulty"):
            self._start(self._command(name))

    def _command(self, name: str) -> Command:
        code = "import time; time.sleep(600)" if name == "sound" else "raise SystemExit('broken')"
        return Command(name, sys.executable, ("-c", code))

    def _recover(self, dead: set[str]) -> None:
        if "sound" in dead and self.errors:
            error, *self.errors = self.errors
            raise error
        for name in dead:
            self._start(self._command(name))

    def _not_ready(self) -> str:
        return ""


@pytest.fixture
def stack(tmp_path: Path):
    said: list[str] = []
    stop = threading.Event()
    stack = Sleepers(StackConfig(database=False, device=""), said.append, stop, tmp_path)
    stack.said = said

    def run() -> None:  # children end with the thread that has started them
        stack.begin()
        stack.watch()

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: "sound" in stack.processes)
    yield stack
    stop.set()
    thread.join()
    stack.end()


def kill_sound(stack) -> None:
    old = stack.processes["sound"]
    old.kill()
    wait_for(lambda: stack.processes["sound"] is not old and stack.processes["sound"].alive)


def test_one_that_fails_again_and_again_does_not_keep_the_others_waiting(stack):
    wait_for(lambda: len([text for text in stack.said if "faulty ended with 1" in text]) > 3)
    assert stack._pauses._pause["faulty"] > 1.0
    stack._pauses._due["faulty"] = float("inf")
    stack._pauses._begun.pop("faulty")  # a start of it would now be an error
    kill_sound(stack)
    assert not [text for text in stack.said if "rror" in text]


@pytest.mark.parametrize("error", [KeyError("uuid"), OSError(24, "Too many open files")])
def test_no_error_ends_the_watch(stack, error):
    stack.errors = (error,)
    kill_sound(stack)
    assert [text for text in stack.said if f"it goes on: {error!r}" in text]
    log = (stack.folder / "logs" / "up.log").read_text()
    assert "Traceback" in log
    assert "sound ended with -9" in log
