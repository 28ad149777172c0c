"""A 4104×4128 image that changes five times a second leaves time for the user, and no memory."""

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psutil
import pytest

from femtotango.stack.tango_client import connect
from pipeline.simulation.scan import BurstScan, detector_frames

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(180)]

BALOR = "andor3_balor"
SHAPE = (4104, 4128)
SCAN = BurstScan(steps=1, burst=2)
RATE = 5.0
UPDATES = 100
LONGEST = 0.1
"""Seconds in which input has to be handled."""
GROWTH = 12e6
"""Bytes; one preview is 0.8 MB, one full image 68 MB."""


@contextmanager
def changing(device: str, rate: float) -> Iterator[None]:
    """Have another client change the whole image at a rate [Hz], without load on the pipeline."""
    stop = threading.Event()

    def change() -> None:
        proxy = connect(device)
        on = True
        while not stop.wait(1 / rate):
            proxy.MaxFilter = on
            on = not on

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        connect(device).MaxFilter = False


def watch(viewer, updates: int) -> list[float]:
    """Return the processor time [s] of each turn of the event loop, over so many new images."""
    seen = 0

    def count(names: frozenset[str]) -> None:
        nonlocal seen
        seen += "PreviewImage" in names

    turns = []
    viewer.window.link.changed.connect(count)
    end = time.monotonic() + 4 * updates / RATE
    while seen < updates:
        assert time.monotonic() < end, f"{seen} of {updates} updates were shown"
        start = time.thread_time()
        viewer.events()
        turns.append(time.thread_time() - start)
        time.sleep(0.002)
    viewer.window.link.changed.disconnect(count)
    return turns


@pytest.mark.parametrize("zoomed", [False, True])
def test_input_is_handled_and_memory_is_flat(open_viewer, player, zoomed: bool) -> None:
    viewer = open_viewer(player.info["device"], (1920, 1080))
    player.write(Rois='{"a": {"x": 100, "y": 200, "width": 300, "height": 400}}', Accumulate=True)
    player.device.ResetAccumulation()
    player.prepare(BALOR, SCAN)
    player.play(BALOR, detector_frames(BALOR, 1, SCAN.frame_positions), SCAN)
    player.wait_finished()
    viewer.wait("the image", lambda: viewer.plot.image_shape == SHAPE)
    if zoomed:
        viewer.plot.setLimits(1000, 2000, 1000, 1600)
        viewer.wait("finer pixels", lambda: viewer.plot.shown.getScale()[0] == 1)
    process = psutil.Process()
    with changing(player.info["device"], RATE):
        watch(viewer, UPDATES // 5)
        gc.collect()
        before = process.memory_info().rss
        turns = watch(viewer, UPDATES)
        gc.collect()
        grown = process.memory_info().rss - before
    # Processor time, as other programs on the machine are not the viewer's fault.
    assert np.percentile(turns, 99) < LONGEST
    assert grown < GROWTH
