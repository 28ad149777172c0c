"""Signals that end `femtotango up`, and those that do not."""

import subprocess
import sys

import pytest

CODE = """
import os, signal, sys
from femtotango.commands.up import stop_on_signals
number = signal.Signals[sys.argv[1]]
# Explicitly: the tests themselves may run under nohup.
signal.signal(number, signal.SIG_IGN if sys.argv[2] == "ignored" else signal.SIG_DFL)
stop = stop_on_signals()
os.kill(os.getpid(), number)
print(stop.is_set())
"""


@pytest.mark.parametrize(
    ("name", "before", "stops"),
    [
        ("SIGHUP", "default", True),
        ("SIGHUP", "ignored", False),  # as nohup does
        ("SIGTERM", "default", True),
        ("SIGINT", "ignored", True),  # as a shell does for what it starts in the background
    ],
)
def test_signals(name: str, before: str, stops: bool):
    line = [sys.executable, "-c", CODE, name, before]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(stops)
