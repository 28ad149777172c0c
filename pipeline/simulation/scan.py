"""Simulated streams: frames by stream name, and the messages that detectors and Sardana send.

Everything here is a pure function of its arguments; the same seed gives the same stream.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import data_description, record_data, record_end
from pipeline.simulation.balor import stream_balor_frames
from pipeline.simulation.pilatus import POLARIZATION, LaB6Pilatus
from pipeline.simulation.shots import I0, MEAN_I0, shot_strengths
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
    fluctuation: float = 0.0
    """Standard deviation of the shots' strengths; above 0 the records have a monitor, `I0`."""
    shots_seed: int = 0
    """Of the shots' strengths."""

    @property
    def positions(self) -> list[float]:
        """Motor position of each step."""
        return [float(p) for p in np.linspace(self.first, self.last, self.steps)]

    @property
    def frame_positions(self) -> list[float]:
        """Motor position of each frame."""
        return [p for p in self.positions for _ in range(self.burst)]

    @property
    def strengths(self) -> list[float]:
        """How strong the shot of each frame is; 1 is the average."""
        return shot_strengths(self.shots_seed, self.steps * self.burst, self.fluctuation)

    @property
    def monitor(self) -> list[float]:
        """What the monitor shows at each step: the mean over its shots."""
        shots = np.reshape(self.strengths, (self.steps, self.burst))
        return [MEAN_I0 * float(strength) for strength in shots.mean(axis=1)]

    @property
    def title(self) -> str:
        """The macro and its arguments."""
        return f"burstscan {self.motor} {self.first} {self.last} {self.steps - 1} {self.burst}"


def detector_frames(
    stream: str,
    seed: int,
    positions: Iterable[float],
    strengths: Iterable[float] | None = None,
    polarization: float = POLARIZATION,
) -> Iterator[NDArray[np.float32] | NDArray[np.uint16]]:
    """Simulate the frames of a camera.

    Args:
        stream: one of `pipeline.model.cameras.CAMERAS`.
        seed: of all randomness.
        positions: motor position at each frame; the brightness follows it, and the place of the
            Zyla's spot.
        strengths: of the shot of each frame, 1 is the average; None: all are average.
        polarization: of the beam, -1 … 1; the Pilatus shows it.

    Yields:
        One full image of the detector per position.

    Raises:
        ValueError: no camera has that stream.
    """
    rng = np.random.default_rng(seed)
    if stream == "pilatus":
        detector = LaB6Pilatus(seed, polarization)
        shots = zip(positions, strengths or repeat(1.0), strict=False)
        return (detector.frame(rng, position, strength) for position, strength in shots)
    if stream == "andor3_balor":
        frames = stream_balor_frames(
            rng, photons_per_pixel=BALOR_PHOTONS_PER_PIXEL, strengths=strengths
        )
        return (image for _, (image, _) in zip(positions, frames, strict=False))
    if stream in CAMERAS:
        return stream_zyla_frames(rng, positions, strengths)
    raise ValueError(f"Stream {stream!r}: known cameras are {', '.join(CAMERAS)}.")


def sardana_records(scan: BurstScan, folder: str = "/data/simulated") -> list[dict[str, Any]]:
    """Return all messages of a scan in their order."""
    limits = scan.first, scan.last
    counters = (I0,) if scan.fluctuation else ()
    records = [
        record_data(point, {scan.motor: position} | dict.fromkeys(counters, monitor), 1.0 + point)
        for point, (position, monitor) in enumerate(zip(scan.positions, scan.monitor, strict=True))
    ]
    return [
        data_description(
            scan.title, scan.number, folder, scan.motor, limits, scan.steps - 1, counters
        ),
        *records,
        record_end(),
    ]
