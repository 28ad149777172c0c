"""How long a frame takes from the detector to the FrameCount event of a Tango client, at 10 Hz."""

import time
from contextlib import ExitStack
from itertools import cycle, islice
from typing import Any

import numpy as np
import tango
from feeding import DeviceStack, camera_frames
from section import Section

from pipeline.simulation.scan import BurstScan

STREAM = "pilatus"
_RATE = 10.0
"""[Hz]"""
_FRAMES = 300
_MEDIAN, _MOST = 0.3, 0.6
"""[s]"""


def run() -> Section:
    """Measure each frame of one scan."""
    with ExitStack() as exit_stack:
        stack = DeviceStack(STREAM, exit_stack)
        delays = measure(stack)
        count = stack.player.read("FrameCount")
    median, most = (float(np.percentile(delays, share)) for share in (50, 99))
    text = (
        f"{_FRAMES} Pilatus frames at {_RATE:g} Hz; from the call that sends a frame to the event "
        f"whose FrameCount includes it: median {median:.2f} s, 99 % {most:.2f} s, longest "
        f"{max(delays):.2f} s."
    )
    demands = [
        (f"FrameCount is exact: {count}", count == _FRAMES),
        (f"median at most {_MEDIAN} s: {median:.2f} s", median <= _MEDIAN),
        (f"99 % at most {_MOST} s: {most:.2f} s", most <= _MOST),
    ]
    figures = {"latency, median [s]": median, "latency, 99 % [s]": most}
    return Section("From the detector to the event", text, demands, figures)


def measure(stack: DeviceStack) -> list[float]:
    """Return the delay of each frame [s]."""
    player = stack.player
    player.device.ResetAccumulation()
    sent: list[float] = []
    shown: list[tuple[float, int]] = []

    def came(event: Any) -> None:
        if not event.err and event.attr_value.value is not None:
            shown.append((time.monotonic(), int(event.attr_value.value)))

    following = player.device.subscribe_event("FrameCount", tango.EventType.CHANGE_EVENT, came)
    scan = BurstScan(steps=1, burst=_FRAMES)
    player.prepare(STREAM, scan, records=False)
    images = islice(cycle(camera_frames(STREAM, 24).images), _FRAMES)
    # It is told after each frame was handed to the socket: what encoding takes is not the delay.
    player.play(
        STREAM,
        images,
        scan,
        records=False,
        rate=_RATE,
        sent=lambda _: sent.append(time.monotonic()),
    )
    player.wait_finished()
    end = time.monotonic() + 10
    while not any(count >= _FRAMES for _, count in shown) and time.monotonic() < end:
        time.sleep(0.05)
    player.device.unsubscribe_event(following)
    # Events of the sum before may still have been on their way.
    counted = [(at, count) for at, count in shown if at >= sent[0]]
    return [
        next(at for at, count in counted if count > number) - start
        for number, start in enumerate(sent)
    ]
