"""A 4104×4128 image that changes five times a second: input is handled, and memory is flat.

How long input waits is measured in `tests/bench/bench_viewer.py`.
"""

import gc

import psutil
import pytest
from support.changing_image import changing

from pipeline.simulation.scan import BurstScan, detector_frames

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(600)]

BALOR = "andor3_balor"
SHAPE = (4104, 4128)
SCAN = BurstScan(steps=1, burst=2)
RATE = 5.0
UPDATES = 40
GROWTH = 12e6
"""Bytes over all `UPDATES`; one preview is 0.8 MB, one full image 68 MB."""
ROUNDS = 5
"""What stays of each image makes every round grow; what is only held for a while does not."""
PATIENCE = 90.0


def show_updates(viewer, updates: int) -> None:
    """Run the event loop until so many new images were shown."""
    shown = 0

    def count(names: frozenset[str]) -> None:
        nonlocal shown
        shown += "PreviewImage" in names

    viewer.window.link.changed.connect(count)
    viewer.wait(f"{updates} images", lambda: shown >= updates, PATIENCE)
    viewer.window.link.changed.disconnect(count)


def memory() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss


def test_input_is_handled_and_memory_is_flat(open_viewer, player) -> None:
    viewer = open_viewer(player.info["device"], (1920, 1080))
    player.write(Rois='{"a": {"x": 100, "y": 200, "width": 300, "height": 400}}', Accumulate=True)
    player.device.ResetAccumulation()
    player.prepare(BALOR, SCAN)
    player.play(BALOR, detector_frames(BALOR, 1, SCAN.frame_positions), SCAN)
    player.wait_finished()
    viewer.wait("the image", lambda: viewer.plot.image_shape == SHAPE)
    field = viewer.window.settings.camera.fields["Background"]
    for zoomed in (False, True):
        if zoomed:
            viewer.plot.setLimits(1000, 2000, 1000, 1600)
            viewer.wait("finer pixels", lambda: viewer.plot.shown.getScale()[0] == 1)
        with changing(player.info["device"], RATE):
            show_updates(viewer, UPDATES // 4)
            typed = 110.0 + zoomed
            viewer.enter(field, f"{typed:g}")
            viewer.wait(
                "what was typed", lambda typed=typed: player.read("Background") == typed, PATIENCE
            )
            grown: list[int] = []
            while len(grown) < ROUNDS and not (grown and grown[-1] < GROWTH):
                before = memory()
                show_updates(viewer, UPDATES)
                grown.append(memory() - before)
        assert grown[-1] < GROWTH, grown
