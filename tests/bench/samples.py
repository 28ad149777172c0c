"""Samples of what a process of Python does, by py-spy."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS, RATE = 10, 200
"""How long samples are taken [s], and how often [Hz]."""


def sampled(pid: int) -> Counter[str]:
    """Return how many samples of a process fell into each function of Python.

    Args:
        pid: of the process; it is not held while it is looked at.
    """
    spy = Path(sys.executable).with_name("py-spy")
    with TemporaryDirectory(prefix="femtotango-profile-") as folder:
        written = Path(folder, "samples.txt")
        line = [str(spy), "record", "--nonblocking", "--format", "raw", "--output", str(written)]
        line += ["--duration", str(SECONDS), "--rate", str(RATE), "--pid", str(pid)]
        subprocess.run(line, check=True, capture_output=True)
        return functions(written.read_text())


def functions(samples: str) -> Counter[str]:
    """Count samples by the function that ran.

    Args:
        samples: lines of frames from the outermost inwards with ``;`` between, and a number.
    """
    found: Counter[str] = Counter()
    for line in samples.splitlines():
        stack, _, count = line.rpartition(" ")
        name, _, place = stack.rpartition(";")[2].partition(" (")
        file = place.rpartition(":")[0] or place.rstrip(")")
        where = "/".join(Path(file).parts[-2:])
        found[f"{name} ({where})"] += int(count)
    return found
