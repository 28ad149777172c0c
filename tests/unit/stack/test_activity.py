"""A process that waits or is stopped is still; one that works is not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from support.waiting import wait_for

from femtotango.stack.activity import Activity

WORKS = "while True: pass"
WAITS = "import time; time.sleep(600)"


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_one_that_waits_is_still():
    with running(WAITS) as process:
        activity = Activity(process.pid)
        assert not activity.is_still(), "nothing is known at the first question"
        wait_for(activity.is_still)


def test_one_that_works_is_still_only_when_it_is_stopped():
    with running(WORKS) as process:
        activity = Activity(process.pid)
        assert not any(activity.is_still() for _ in range(20))
        os.kill(process.pid, signal.SIGSTOP)
        wait_for(activity.is_still)
        os.kill(process.pid, signal.SIGCONT)
        wait_for(lambda: not activity.is_still())


def test_one_that_has_ended_is_not_still():
    with running(WAITS) as process:
        activity = Activity(process.pid)
        activity.is_still()
    assert not activity.is_still()
    assert not activity.is_still()
