"""A scan of six simulated Pilatus frames, for a stack that has to work."""

from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan, detector_frames

SCAN = BurstScan(steps=2, burst=3)
ONE_CAMERA = '[streams]\npilatus = ""\n'
"""Lines of a configuration: a stack that can take it, and no more."""


def scan(player: ScanPlayer) -> None:
    """Run it, and wait for its end."""
    frames = detector_frames("pilatus", 1, SCAN.frame_positions)
    player.prepare("pilatus", SCAN)
    player.play("pilatus", frames, SCAN)
    player.wait_finished()
