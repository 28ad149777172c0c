"""What a hundred ROIs with all statistics cost on a Zyla."""

import json
import statistics
import time
from contextlib import ExitStack
from typing import Any

import numpy as np
from feeding import ROUNDS, DeviceStack, Frames, Run, camera_frames, ratio
from numpy.typing import NDArray
from section import Section, markdown_table, spread

from pipeline.frames.roi_statistics import cmos_statistics
from pipeline.model.roi import Roi

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
        exact = stack.has_summed({_STREAM: feed}, _FRAMES)
        newest = stack.player.read("RoiMeanCurves")[:, -1]
    image = feed.images[(_FRAMES - 1) % len(feed.images)]
    drawn = [Roi(**roi) for roi in rois.values()]
    truth = [_mean(feed, image, roi) for roi in drawn]
    alone = []
    for _ in range(ROUNDS + 1):
        begin = time.thread_time()
        cmos_statistics(image, drawn, feed.background, feed.threshold)
        alone.append(1e3 * (time.thread_time() - begin))
    # The first call loads the kernel.
    del alone[0]
    rates = {name: [one.rate for one in of_name] for name, of_name in runs.items()}
    times = {name: [1e3 * one.processor for one in of_name] for name, of_name in runs.items()}
    cost = 1 - ratio(rates["100"], rates["none"])
    work = ratio(times["100"], times["none"])
    rows = [
        [
            name,
            f"{statistics.median(rates[name]):.0f}",
            ", ".join(f"{rate:.0f}" for rate in rates[name]),
            spread(times[name]),
        ]
        for name in runs
    ]
    text = (
        f"{_FRAMES} Zyla frames of 2048×2048 in a scan, {ROUNDS} scans each in turn, 2 workers; "
        f"each ROI has {_SIDE}×{_SIDE} pixels, and all statistics of all ROIs are taken of every "
        "frame.\n\n"
        + markdown_table(["ROIs", "frames/s", "all", "processor time of a frame [ms]"], rows)
        + f"\n\nOf that, the statistics of one frame alone take {spread(alone)} ms, measured in "
        "one thread: place and width of a spot above the border of its ROI, and its noise; the "
        "rest is to send and to keep 100 rows of them."
    )
    demands = [
        ("the sum is numpy's", exact),
        ("the means of the newest frame are numpy's", np.allclose(newest, truth, rtol=1e-9)),
        (f"100 ROIs cost at most {_MOST:.0%} of the frame rate: {cost:.0%}", cost <= _MOST),
    ]
    figures = {"100 ROIs on a Zyla, processor time": work, "100 ROIs on a Zyla, of the rate": cost}
    return Section("A hundred ROIs with all statistics", text, demands, figures)


def _mean(feed: Frames, image: NDArray[Any], roi: Roi) -> float:
    part = image[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] - feed.background
    return float(np.where(part > feed.threshold, part, 0.0).mean())
