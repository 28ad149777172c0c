"""Where the time goes in dranspose's processes, where they do next to nothing for us: py-spy."""

import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack

from bench_ladder import LadderStack
from feeding import camera_frames
from processes import named_processes
from samples import RATE, SECONDS, sampled
from section import Section, markdown_table

STREAM = "pilatus"
_PARTS = ("camera ingester", "worker1", "reducer", "controller")
_SHOTS, _IMAGES = 1000, 24
_SHOWN = 6
"""Functions of each part."""


def run() -> Section:
    """Sample each part while a worker returns one number for each frame, at full speed."""
    frames = camera_frames(STREAM, _IMAGES)
    with ExitStack() as exit_stack:
        stack = LadderStack([STREAM], "rungs:NumberWorker", exit_stack)
        over = threading.Event()

        def feed() -> None:
            while not over.is_set():
                stack.run(frames, _SHOTS)

        feeding = threading.Thread(target=feed)
        feeding.start()
        try:
            named = named_processes(stack.info["pid"])
            profiles = {part: sampled(named[part][0].pid) for part in _PARTS}
        finally:
            over.set()
            feeding.join()
        exact = stack.frames == _SHOTS
    return section(profiles, exact)


def section(profiles: Mapping[str, Counter[str]], exact: bool) -> Section:
    """Write what was sampled."""
    rows = [
        [part, f"`{name}`", f"{100 * count / profile.total():.0f}"]
        for part, profile in profiles.items()
        for name, count in profile.most_common(_SHOWN)
    ]
    text = (
        "Pilatus frames at full speed, and a worker that returns one small number for each: what "
        f"is left is dranspose's own. Share of the samples of py-spy ({RATE} a second over "
        f"{SECONDS} s) by the Python function that ran or had called what ran; the {_SHOWN} most. "
        "In `select` and `_worker` a process also waits.\n\n"
        + markdown_table(["process", "function", "% of its samples"], rows)
        + "\n\nWhat should change there stands in the [reports for dranspose](upstream.md)."
    )
    return Section("Where dranspose's time goes", text, [("all numbers came", exact)])
