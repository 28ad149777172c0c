"""Scans while other clients write settings all the time: none hangs, no frame is lost."""

import threading

import numpy as np
import tango
from support.repeats import repeats

from pipeline.simulation.scan import BurstScan

FRAME = np.ones((32, 48), np.float32)
SCAN = BurstScan(steps=2, burst=5)
SCANS = repeats(10, 80)
"""With those of full frames in tests/system/test_stack.py a thorough run has a hundred."""


def test_scans_while_two_settings_are_written_all_the_time(player):
    player.write(Accumulate=True)
    done = threading.Event()
    other = tango.DeviceProxy(player.info["device"])

    def write() -> None:
        value = 0.0
        while not done.wait(0.02):
            value = (value + 1.0) % 50.0
            other.write_attribute("CmosThreshold", value)
            other.write_attribute("HistogramMin", value)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(1, SCANS + 1):
            player.prepare("pilatus", SCAN)
            player.play("pilatus", [FRAME] * 10, SCAN)
            player.wait_finished()
            assert player.device.FrameCount == 10 * number
    finally:
        done.set()
        writer.join()
