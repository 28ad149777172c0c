"""What hangs is killed, what is only busy is not."""

import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.waiting import wait_for

from femtotango.stack import liveness
from femtotango.stack.command import Command
from femtotango.stack.liveness import Patience, Silence, Watchdog
from femtotango.stack.processes import Process, end


def test_silence_adds_up_until_an_answer():
    silence = Silence(Patience(30.0, 4.0))
    assert not silence.take(True, 2.0)
    assert not any(silence.take(False, 2.0) for _ in range(14))
    assert not silence.take(True, 2.0)
    assert [silence.take(False, 2.0) for _ in range(15)] == [False] * 14 + [True]


def test_who_looks_late_takes_three_looks_all_the_same():
    silence = Silence(Patience(30.0, 4.0))
    silence.take(True, 2.0)
    assert [silence.take(False, 3600.0) for _ in range(3)] == [False, False, True]


def test_a_start_may_take_longer():
    silence = Silence(Patience(10.0, 4.0))
    assert not any(silence.take(False, 3.0) for _ in range(29))
    assert silence.take(False, 3.0)


def test_what_neither_answers_nor_runs_is_given_up_sooner():
    silence = Silence(Patience(30.0, 4.0), has_answered=True)
    assert [silence.take(False, 2.0, still=True) for _ in range(3)] == [False, False, True]


def test_what_was_still_before_is_asked_twice_all_the_same():
    silence = Silence(Patience(30.0, 4.0), has_answered=True)
    assert not any(silence.take(True, 2.0, still=True) for _ in range(5))
    assert [silence.take(False, 1.0, still=True) for _ in range(2)] == [False, True]


def test_what_runs_in_between_is_only_busy():
    silence = Silence(Patience(30.0, 4.0), has_answered=True)
    assert not any(silence.take(False, 2.0, still=look % 3 != 2) for look in range(14))
    assert silence.take(False, 2.0)


def test_a_start_that_waits_for_something_is_not_given_up_sooner():
    silence = Silence(Patience(10.0, 4.0))
    assert not any(silence.take(False, 3.0, still=True) for _ in range(26))
    silence.take(True, 3.0)
    assert [silence.take(False, 2.0, still=True) for _ in range(3)] == [False, False, True]


@pytest.fixture
def sleepers(tmp_path: Path):
    line = ("-c", "import time; time.sleep(600)")
    found = {name: Process(Command(name, sys.executable, line), tmp_path) for name in "abc"}
    yield found
    end(found.values(), 0.0)


@contextmanager
def watched(sleepers, look, said, stop, monkeypatch):
    monkeypatch.setattr(liveness, "_LOOK", 0.02)
    monkeypatch.setattr(liveness, "_START_PATIENCE", 0.1)
    with Watchdog(lambda: sleepers, look, Patience(0.1, 0.1), said.append, stop):
        yield


def test_what_does_not_answer_is_killed_and_told(sleepers, monkeypatch):
    said: list[str] = []
    answers = {"a": True, "b": False}  # nobody knows of c
    with watched(sleepers, lambda: answers, said, threading.Event(), monkeypatch):
        wait_for(lambda: sleepers["b"].exit_code == -signal.SIGKILL)
        wait_for(lambda: said)
    assert sleepers["a"].alive
    assert sleepers["c"].alive
    assert "b has not answered for" in said[0]


def test_an_error_does_not_end_the_watchdog(sleepers, monkeypatch, caplog):
    said: list[str] = []
    looks = iter([ZeroDivisionError("nobody has thought of it")])

    def look() -> dict[str, bool]:
        for error in looks:
            raise error
        return {"b": False}

    with watched(sleepers, look, said, threading.Event(), monkeypatch):
        wait_for(lambda: not sleepers["b"].alive)
    assert "it goes on: ZeroDivisionError('nobody has thought of it')" in said[0]
    assert "Traceback" in caplog.text


def test_nothing_is_killed_after_the_end(sleepers, monkeypatch):
    stop = threading.Event()

    def look() -> dict[str, bool]:
        stop.set()
        return dict.fromkeys(sleepers, False)

    monkeypatch.setattr(liveness.Silence, "take", lambda *_: True)
    with watched(sleepers, look, [], stop, monkeypatch):
        wait_for(stop.is_set)
    assert all(process.alive for process in sleepers.values())
