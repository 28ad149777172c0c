"""Simulated streams: frames by stream name, and the messages that detectors and Sardana send.

Everything here is a pure function of its arguments; the same seed gives the same stream.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import data_description, record_data, record_end
from pipeline.simulation.balor import stream_balor_frames
from pipeline.simulation.pilatus import LaB6Pilatus
from pipeline.simulation.zyla import stream_zyla_frames

BALOR_PHOTONS_PER_PIXEL = 1e-4


@dataclass(frozen=True)
class BurstScan:
    """A scan of one motor with several frames at each position."""

    steps: int = 5
    burst: int = 6
    first: float = 1.0
    last: float = 2.0
    motor: str = "dummy_mot_01"
    number: int = 1

    @property
    def positions(self) -> list[float]:
        """Motor position of each step."""
        return [float(p) for p in np.linspace(self.first, self.last, self.steps)]

    @property
    def frame_positions(self) -> list[float]:
        """Motor position of each frame."""
        return [p for p in self.positions for _ in range(self.burst)]

    @property
    def title(self) -> str:
        """The macro and its arguments."""
        return f"burstscan {self.motor} {self.first} {self.last} {self.steps - 1} {self.burst}"


def detector_frames(
    stream: str, seed: int, positions: Iterable[float]
) -> Iterator[NDArray[np.float32] | NDArray[np.uint16]]:
    """Simulate the frames of a camera.

    Args:
        stream: one of `pipeline.model.cameras.CAMERAS`.
        seed: of all randomness.
        positions: motor position at each frame; the brightness follows it.

    Yields:
        One full image of the detector per position.

    Raises:
        ValueError: no camera has that stream.
    """
    rng = np.random.default_rng(seed)
    if stream == "pilatus":
        detector = LaB6Pilatus(seed)
        return (detector.frame(rng, position) for position in positions)
    if stream == "andor3_balor":
        frames = stream_balor_frames(rng, photons_per_pixel=BALOR_PHOTONS_PER_PIXEL)
        return (image for _, (image, _) in zip(positions, frames, strict=False))
    if stream in CAMERAS:
        return stream_zyla_frames(rng, positions)
    raise ValueError(f"Stream {stream!r}: known cameras are {', '.join(CAMERAS)}.")


def sardana_records(scan: BurstScan, folder: str = "/data/simulated") -> list[dict[str, Any]]:
    """Return all messages of a scan in their order."""
    limits = scan.first, scan.last
    records = [
        record_data(point, {scan.motor: position}, 1.0 + point)
        for point, position in enumerate(scan.positions)
    ]
    return [
        data_description(scan.title, scan.number, folder, scan.motor, limits, scan.steps - 1),
        *records,
        record_end(),
    ]
