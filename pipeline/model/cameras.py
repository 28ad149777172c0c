"""The table of cameras: what is known of each one beside what its messages say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np


class Unit:
    """What the numbers of an image mean."""

    COUNTS = "counts"
    ADU = "ADU"
    TOT = "TOT"


@dataclass(frozen=True)
class Camera:
    """Facts about one camera."""

    stream: str
    """Name of its stream in dranspose."""
    shape: tuple[int, int]
    """``(ny, nx)`` of a full frame [pixel]; each message says what it really carries."""
    dtype: str
    """Of the pixels that it sends."""
    pixel_size: tuple[float, float]
    """``(y, x)`` [m]."""
    photon_counting: bool
    """True: no dark level, negative values are masked pixels. False: background and threshold."""
    finds_photons: bool = False
    """Single photons are searched when a photon ROI is set."""

    @property
    def unit(self) -> str:
        """Unit of a processed frame when no photons are searched."""
        return Unit.TOT if self.photon_counting else Unit.ADU

    @property
    def frame_bytes(self) -> int:
        """Size of a full frame without compression."""
        return self.shape[0] * self.shape[1] * np.dtype(self.dtype).itemsize


CAMERAS: Mapping[str, Camera] = MappingProxyType(
    {
        camera.stream: camera
        for camera in (
            Camera("pilatus", (831, 1475), "float32", (172e-6, 172e-6), photon_counting=True),
            Camera("andor3_zyla10", (2048, 2048), "uint16", (6.5e-6, 6.5e-6), False),
            Camera("andor3_zyla12", (2048, 2048), "uint16", (6.5e-6, 6.5e-6), False),
            Camera(
                "andor3_balor", (4104, 4128), "uint16", (12e-6, 12e-6), False, finds_photons=True
            ),
        )
    }
)
"""By stream name, in the order in which they are offered to users."""

BY_RANK = ("andor3_balor", "andor3_zyla10", "pilatus", "andor3_zyla12")
"""The order in which cameras of a scan stand for the scan where nobody names one."""


def ranked(streams: Iterable[str]) -> tuple[str, ...]:
    """Return the cameras among some streams, each once, the one that stands for the scan first."""
    there = set(streams)
    return tuple(stream for stream in BY_RANK if stream in there)


def check_camera(stream: str) -> str:
    """Return the stream of a camera, or an empty text that names none.

    Raises:
        ValueError: no camera has that stream.
    """
    if stream and stream not in CAMERAS:
        raise ValueError(
            f"camera = {stream!r}: no camera has that stream; give one of "
            f"{', '.join(CAMERAS)}, or nothing."
        )
    return stream
