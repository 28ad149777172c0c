"""How the processor time of a frame grows: with the scan, ROIs, cameras, workers and scans."""

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from feeding import ROUNDS, DeviceStack, Frames, camera_frames
from section import Section, markdown_table, spread

_PICTURE = Path(__file__).parents[2] / "docs" / "images" / "growth.png"
_SMALL = (64, 64)
_FLAT = 1.5
"""So many times as much a later point of a curve may take as an earlier one."""
_ROUNDS = max(1, ROUNDS - 2)
_FRAMES_OF_SCAN = (100, 1_000, 10_000, 100_000)
_ROIS = (1, 10, 100)
_CAMERAS = ("pilatus", "andor3_zyla10", "andor3_balor")
_WORKERS = (1, 2, 4)
_SCANS, _TOGETHER = 50, 10

Curve = Mapping[int, Sequence[float]]
"""Processor times of a frame, of each round [ms], over what grows."""


def run() -> Section:
    """Measure all curves and draw them."""
    curves = {
        "frames of a scan": frames_of_a_scan(),
        "ROIs on a Zyla": rois(),
        "cameras, per MB": cameras(),
        "workers": workers(),
        "scans of a sum": scans(),
    }
    rows = [
        [name, ", ".join(f"{n}: {spread(ms)}" for n, ms in curve.items()), f"{growth(curve):.2f}"]
        for name, curve in curves.items()
    ]
    text = (
        "Processor time of all processes of the stack, of one frame [ms]; of several cameras, of "
        "each megabyte, because their frames differ in size; the median of some rounds, the least "
        "and the most. Growth is how many times as much as the cheapest point before it one takes "
        "at most.\n\n"
        + markdown_table(["what grows", "ms", "growth"], rows)
        + "\n\nWhat is not flat: a scan carries its start and its end, which cost as much as some "
        "250 small frames, so short scans cost more (100 frames with each number of ROIs, 60 shots "
        "with each number of cameras); 100 ROIs read a million pixels more of each frame; a "
        "megabyte costs less with each camera more, because a Zyla's and a Balor's frames are "
        "larger, and what a frame costs beside its pixels is the same for each; "
        "each worker more sends its own part of the sum twice a second, and asks for its share of "
        "the events.\n\n![growth](images/growth.png)"
    )
    demands = [
        (f"{name}: grows by at most {_FLAT:g} ×: {growth(curve):.2f}", growth(curve) <= _FLAT)
        for name, curve in curves.items()
    ]
    figures = {f"growth, {name}": growth(curve) for name, curve in curves.items()}
    return Section("Growth", text, demands, figures, partial(draw, curves))


def growth(curve: Curve) -> float:
    """Return how many times as much as an earlier point a later one takes, at most; of medians."""
    middles = [statistics.median(times) for times in curve.values()]
    return max(later / min(middles[: i + 1]) for i, later in enumerate(middles))


def small_frames() -> Frames:
    """Return frames of which the processing takes next to nothing."""
    rng = np.random.default_rng(1)
    return Frames([rng.integers(0, 9, _SMALL).astype(np.float32) for _ in range(16)])


def frames_of_a_scan() -> Curve:
    """Measure scans of more and more small frames."""
    feed = small_frames()
    return with_stack(lambda stack: {n: _times(stack, feed, n) for n in _FRAMES_OF_SCAN}, "pilatus")


def rois() -> Curve:
    """Measure Zyla frames with more and more ROIs of 100×100 pixels."""
    feed = camera_frames("andor3_zyla10", 4)

    def measure(stack: DeviceStack) -> Curve:
        found = {}
        for number in _ROIS:
            table = {
                f"r{n}": {"x": 190 * (n % 10), "y": 190 * (n // 10), "width": 100, "height": 100}
                for n in range(number)
            }
            stack.player.write(Rois=json.dumps(table))
            found[number] = _times(stack, feed, 100)
        return found

    return with_stack(measure, "andor3_zyla10")


def cameras() -> Curve:
    """Measure each megabyte of scans of one, two and three cameras, a frame of each a shot."""
    found = {}
    feeds = {stream: camera_frames(stream, 4) for stream in _CAMERAS}
    for number in range(1, len(_CAMERAS) + 1):
        some = {stream: feeds[stream] for stream in _CAMERAS[:number]}
        megabytes = sum(feed.images[0].nbytes for feed in some.values()) / 1e6
        with ExitStack() as exit_stack:
            stack = DeviceStack(_CAMERAS[:number], exit_stack)
            times = [1e3 * stack.run(some, 60).processor for _ in range(_ROUNDS + 1)]
            assert stack.has_summed(some, 60), f"{number} cameras: a sum is not numpy's"
        # The first scan carries what is done once.
        found[number] = [time / megabytes for time in times[1:]]
    return found


def workers() -> Curve:
    """Measure Pilatus frames with one, two and four workers."""
    feed = camera_frames("pilatus", 12)
    found = {}
    for number in _WORKERS:
        with ExitStack() as exit_stack:
            found[number] = _times(DeviceStack("pilatus", exit_stack, workers=number), feed, 1000)
    return found


def scans() -> Curve:
    """Measure one sum over many scans, ten by ten."""
    feed = small_frames()

    def measure(stack: DeviceStack) -> Curve:
        times = [_checked(stack, feed, 1000, add=n > 0) for n in range(_SCANS)]
        return {n: times[n - _TOGETHER : n] for n in range(_TOGETHER, _SCANS + 1, _TOGETHER)}

    return with_stack(measure, "pilatus")


def with_stack(measure: Callable[[DeviceStack], Curve], stream: str) -> Curve:
    """Measure on a stack of its own, after a first series that is not counted."""
    with ExitStack() as exit_stack:
        stack = DeviceStack(stream, exit_stack)
        stack.run(small_frames() if stream == "pilatus" else camera_frames(stream, 2), 50)
        return measure(stack)


def _times(stack: DeviceStack, feed: Frames, count: int) -> list[float]:
    return [_checked(stack, feed, count) for _ in range(_ROUNDS)]


def _checked(stack: DeviceStack, feed: Frames, count: int, add: bool = False) -> float:
    """Return the processor time of a frame [ms], once the sum was found to be right."""
    before = float(stack.player.read("ImageSum") or 0.0) if add else 0.0
    took = 1e3 * stack.run(feed, count, add=add).processor
    summed = stack.player.read("ImageSum")
    truth = before + feed.sum(count)
    assert abs(summed - truth) <= 1e-9 * truth, f"ImageSum is {summed}, not {truth}"
    return took


def draw(curves: Mapping[str, Curve]) -> None:
    """Draw all curves into the picture of the page."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.6), layout="constrained")
    axes: Sequence = figure.subplots(1, len(curves))
    for axis, (name, curve) in zip(axes, curves.items(), strict=True):
        middles = [statistics.median(times) for times in curve.values()]
        below = [m - min(times) for m, times in zip(middles, curve.values(), strict=True)]
        above = [max(times) - m for m, times in zip(middles, curve.values(), strict=True)]
        axis.errorbar(list(curve), middles, [below, above], fmt="o-", capsize=2)
        axis.set_xscale("log")
        axis.set_xticks(list(curve), [f"{n:g}" for n in curve])
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=8)
    axes[0].set_ylabel("ms a frame", fontsize=9)
    figure.savefig(_PICTURE, dpi=100)
