"""Simulated streams: frames by stream name, and the messages that detectors and Sardana send.

Everything here is a pure function of its arguments; the same seed gives the same stream.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bitshuffle
import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.batch import CAMERAS
from pipeline.simulation.balor import stream_balor_frames
from pipeline.simulation.pilatus import LaB6Pilatus
from pipeline.simulation.zyla import stream_zyla_frames

COMPRESSIONS = ("none", "bslz4")
BALOR_PHOTONS_PER_PIXEL = 1e-4

Message = list[bytes]
"""Parts of one ZMQ message."""


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


def stins_header(
    message_number: int, filename: str = "", camera: Mapping[str, Any] | None = None
) -> Message:
    """Encode the start of a series.

    Args:
        message_number: counts the detector's messages.
        filename: raw file; empty: live viewing.
        camera: settings, which become a second part.
    """
    parts = [_json({"htype": "header", "msg_number": message_number, "filename": filename})]
    return parts if camera is None else [*parts, _json(camera)]


def stins_image(
    message_number: int, frame: int, image: NDArray[Any], compression: str = "none"
) -> Message:
    """Encode one image.

    Args:
        message_number: counts the detector's messages.
        frame: counts the frames of the series, from 0.
        image: ``(ny, nx)`` of any integer or float dtype.
        compression: ``none``, or ``bslz4`` without a header before the blocks.

    Raises:
        ValueError: the compression is unknown.
    """
    if compression not in COMPRESSIONS:
        raise ValueError(f"Compression {compression!r}: use {' or '.join(COMPRESSIONS)}.")
    image = np.ascontiguousarray(image)
    data = bitshuffle.compress_lz4(image) if compression == "bslz4" else image
    head = {
        "htype": "image",
        "msg_number": message_number,
        "frame": frame,
        "shape": list(image.shape),
        "type": image.dtype.name,
        "compression": compression,
        "exposure_time": 0.05,
    }
    return [_json(head), data.tobytes()]


def stins_end(message_number: int) -> Message:
    """Encode the end of a series."""
    return [_json({"htype": "series_end", "msg_number": message_number})]


def stins_series(
    images: Iterable[NDArray[Any]],
    filename: str = "",
    camera: Mapping[str, Any] | None = None,
    compression: str = "none",
) -> Iterator[Message]:
    """Encode a whole series: header, images, end."""
    yield stins_header(0, filename, camera)
    number = 0
    for frame, image in enumerate(images):
        number = frame + 1
        yield stins_image(number, frame, image, compression)
    yield stins_end(number + 1)


def data_description(scan: BurstScan, folder: str = "/data/simulated") -> dict[str, Any]:
    """Return what Sardana sends when a scan starts, with the keys that FemtoMAX records have."""
    columns = [
        {"name": "point_nb", "label": "#Pt No", "dtype": "int64", "shape": []},
        {
            "name": scan.motor,
            "label": scan.motor,
            "dtype": "float64",
            "shape": [],
            "is_reference": True,
            "min_value": scan.first,
            "max_value": scan.last,
            "instrument": "",
        },
        {"name": "timestamp", "label": "dt", "dtype": "float64", "shape": []},
    ]
    return {
        "type": "DataDescription",
        "serialno": scan.number,
        "scandir": folder,
        "title": scan.title,
        "column_desc": columns,
        "ref_moveables": [scan.motor],
        "estimatedtime": 0.0,
        "total_scan_intervals": scan.steps - 1,
        "starttime": "Thu Nov 21 12:21:01 2024",
        "counters": [],
        "scanfile": ["scan.h5", "stream.daq"],
    }


def record_data(point: int, positions: Mapping[str, float], timestamp: float) -> dict[str, Any]:
    """Return what Sardana sends after each step.

    Args:
        point: number of the step, from 0.
        positions: motor positions by name.
        timestamp: since the start of the scan [s].
    """
    return {"type": "RecordData", "timestamp": timestamp, "point_nb": point, **positions}


def record_end() -> dict[str, Any]:
    """Return what Sardana sends when a scan has ended."""
    return {"type": "RecordEnd", "endtime": "Thu Nov 21 12:21:09 2024", "deadtime": 0.0}


def sardana_records(scan: BurstScan) -> Sequence[dict[str, Any]]:
    """Return all messages of a scan in their order."""
    records = [
        record_data(point, {scan.motor: position}, 1.0 + point)
        for point, position in enumerate(scan.positions)
    ]
    return [data_description(scan), *records, record_end()]


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
