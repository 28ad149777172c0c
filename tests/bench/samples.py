"""Samples of what a process of Python does, by py-spy."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS, RATE = 10, 200
"""How long samples are taken [s], and how often [Hz]."""


_OWN = ("pipeline/", "femtotango/")
_AROUND = ("pipeline/worker/dranspose_loop.py", "femtotango/stack/")
"""Ours too, and around all that a process of dranspose does."""
_WAITS = ("select", "_worker", "wait")
"""Functions in which a thread waits, too."""


def sampled(pid: int) -> str:
    """Return samples of a process, as `functions` and `busy_with` read them.

    Args:
        pid: of the process; it is not held while it is looked at.
    """
    spy = Path(sys.executable).with_name("py-spy")
    with TemporaryDirectory(prefix="femtotango-profile-") as folder:
        written = Path(folder, "samples.txt")
        line = [str(spy), "record", "--nonblocking", "--format", "raw", "--output", str(written)]
        line += ["--duration", str(SECONDS), "--rate", str(RATE), "--pid", str(pid)]
        subprocess.run(line, check=True, capture_output=True)
        return written.read_text()


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


def busy_with(samples: str) -> tuple[int, int]:
    """Count the samples in which something was done: by us, or what we called; and by others.

    Args:
        samples: as in `functions`; places are files of Python with their packages.
    """
    ours = others = 0
    for line in samples.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        name = frames[-1].partition(" (")[0].rpartition(".")[2]
        if name in _WAITS:
            continue
        places = [frame.rpartition(" (")[2] for frame in frames]
        if any(p.startswith(_OWN) and not p.startswith(_AROUND) for p in places):
            ours += int(count)
        else:
            others += int(count)
    return ours, others
