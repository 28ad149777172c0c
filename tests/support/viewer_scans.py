"""Scans for the viewer's tests to look at."""

from functools import cache
from typing import Any

from numpy.typing import NDArray

from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan, detector_frames

PILATUS = "pilatus"
SCAN = BurstScan(steps=2, burst=3)


@cache
def _frames(scan: BurstScan) -> list[NDArray[Any]]:
    return list(detector_frames(PILATUS, 1, scan.frame_positions))


def play_pilatus(player: ScanPlayer, scan: BurstScan = SCAN) -> None:
    """Play a short scan of the Pilatus, and wait for its results."""
    player.prepare(PILATUS, scan)
    player.play(PILATUS, _frames(scan), scan)
    player.wait_finished()


def show_pilatus(player: ScanPlayer, viewer: Any) -> None:
    """Have the sum of a Pilatus scan on the screen."""
    player.write(Accumulate=True)
    if player.read("FrameCount"):
        player.device.ResetAccumulation()
    play_pilatus(player)
    viewer.wait(
        "the sum's title", lambda: f"sum of {SCAN.steps * SCAN.burst} frames" in viewer.title
    )
    viewer.wait("its pixels", lambda: viewer.plot.image_shape == (831, 1475))
