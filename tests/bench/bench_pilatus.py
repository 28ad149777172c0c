"""Pilatus frames per second from the ZMQ source to the exact FrameCount of the Tango device."""

import statistics
import time

from feeding import Frames, bare_rates, stack_with
from section import Section, markdown_table

from femtotango.commands.scan_player import ScanPlayer
from pipeline.simulate import BurstScan, detector_frames

STREAM = "pilatus"
_FRAMES, _IMAGE_FRAMES, _ROUNDS, _POOL = 1000, 300, 3, 24
_OF_EMPTY, _OF_IMAGES = 0.75, 2.0


def our_rates(frames: Frames, count: int, rounds: int) -> list[float]:
    """Measure the real pipeline, and check its sum each time.

    Raises:
        AssertionError: a frame was lost or came twice, or the sum is wrong.
    """
    rates = []
    with stack_with(streams=[STREAM], sardana=False) as info, ScanPlayer(info) as player:
        player.write(Accumulate=True)
        for number in [count // 5, *[count] * rounds]:
            player.device.ResetAccumulation()
            player.prepare(STREAM, BurstScan(steps=1, burst=number), records=False)
            series = frames.series(number)
            start = time.monotonic()
            player.source(STREAM).send(series)
            player.wait_until("FrameCount", lambda shown, wanted=number: shown == wanted)
            rates.append(number / (time.monotonic() - start))
            player.wait_finished()
            shown, truth = player.read("ImageSum"), frames.sum(number)
            assert player.read("FrameCount") == number, f"{player.read('FrameCount')} frames"
            assert abs(shown - truth) < 1e-6 * truth, f"sum {shown} instead of {truth}"
    return rates[1:]


def run() -> Section:
    """Measure the three, one after the other."""
    images = list(detector_frames(STREAM, 1, [1.5] * _POOL))
    frames = Frames(images)
    empty = bare_rates("EmptyWorker", "EmptyReducer", STREAM, frames, _FRAMES, _ROUNDS)
    ours = our_rates(frames, _FRAMES, _ROUNDS)
    whole = bare_rates("ImageWorker", "ImageReducer", STREAM, frames, _IMAGE_FRAMES, _ROUNDS)
    rate = {
        name: statistics.median(rates)
        for name, rates in (("empty", empty), ("ours", ours), ("whole", whole))
    }
    rows = [
        ["worker that returns nothing, no device", *_columns(empty)],
        ["femtotango, to the exact FrameCount through Tango", *_columns(ours)],
        ["worker that sends every image to the reducer, no device", *_columns(whole)],
    ]
    of_empty, of_whole = rate["ours"] / rate["empty"], rate["ours"] / rate["whole"]
    text = (
        f"Frames of 831×1475 float32, {_FRAMES} in a scan, {_ROUNDS} scans each, 2 workers; the "
        "source runs on the same machine. Each sum was compared with numpy's.\n\n"
        + markdown_table(["frames/s", "median", "all"], rows)
        + f"\n\nThat is {of_empty:.2f} of the worker that does nothing, and {of_whole:.1f} times "
        "the one that sends images."
    )
    demands = [
        (f"at least {_OF_EMPTY} of an empty worker's rate: {of_empty:.2f}", of_empty >= _OF_EMPTY),
        (f"at least {_OF_IMAGES:g}x sending images: {of_whole:.2f}", of_whole >= _OF_IMAGES),
    ]
    return Section("Pilatus frame rate", text, demands)


def _columns(rates: list[float]) -> list[str]:
    return [f"{statistics.median(rates):.0f}", ", ".join(f"{rate:.0f}" for rate in rates)]
