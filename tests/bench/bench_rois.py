"""What a hundred ROIs with all statistics cost on a Zyla."""

import json
import statistics
from contextlib import ExitStack

from feeding import ROUNDS, DeviceStack, Run, camera_frames, ratio
from section import Section, markdown_table

_STREAM = "andor3_zyla10"
_SIDE, _APART = 100, 190
_FRAMES = 200
_MOST = 0.25
"""Of the frame rate."""


def run() -> Section:
    """Measure the same stack with and without ROIs, in alternating rounds."""
    feed = camera_frames(_STREAM, 8)
    rois = {
        f"r{n}": {"x": _APART * (n % 10), "y": _APART * (n // 10), "width": _SIDE, "height": _SIDE}
        for n in range(100)
    }
    runs: dict[str, list[Run]] = {"none": [], "100": []}
    with ExitStack() as exit_stack:
        stack = DeviceStack(_STREAM, exit_stack)
        for number in range(ROUNDS + 1):
            for name, table in (("none", {}), ("100", rois)):
                stack.player.write(Rois=json.dumps(table))
                # The first round is not counted.
                taken = stack.run(feed, _FRAMES if number else _FRAMES // 5)
                runs[name] += [taken] if number else []
        exact = abs(stack.player.read("ImageSum") - feed.sum(_FRAMES)) < 1e-9 * feed.sum(_FRAMES)
    rates = {name: [one.rate for one in of_name] for name, of_name in runs.items()}
    times = {name: [1e3 * one.processor for one in of_name] for name, of_name in runs.items()}
    cost = 1 - ratio(rates["100"], rates["none"])
    work = ratio(times["100"], times["none"])
    rows = [
        [
            name,
            f"{statistics.median(rates[name]):.0f}",
            ", ".join(f"{rate:.0f}" for rate in rates[name]),
            f"{statistics.median(times[name]):.1f}",
        ]
        for name in runs
    ]
    text = (
        f"{_FRAMES} Zyla frames of 2048×2048 in a scan, {ROUNDS} scans each in turn, 2 workers; "
        f"each ROI has {_SIDE}×{_SIDE} pixels, and all statistics of all ROIs are taken of every "
        "frame.\n\n"
        + markdown_table(["ROIs", "frames/s", "all", "processor time of a frame [ms]"], rows)
    )
    demands = [
        ("the sum is numpy's", bool(exact)),
        (f"100 ROIs cost at most {_MOST:.0%} of the frame rate: {cost:.0%}", cost <= _MOST),
    ]
    figures = {"100 ROIs on a Zyla, processor time": work, "100 ROIs on a Zyla, of the rate": cost}
    return Section("A hundred ROIs with all statistics", text, demands, figures)
