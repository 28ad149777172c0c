"""Recorded LaB6 streams to replay: one that the simulator makes, and the beamline's own.

`lab6` gives each test that asks for it a `Recording` of 30 Pilatus frames in 5 steps. The one from
the beamline is used too where it lies beside the project, or in $FEMTOTANGO_CAPTURES.
"""

import gzip
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cbor2
import numpy as np
import pytest
from dranspose.event import InternalWorkerMessage, StreamData, message_encoder
from dranspose.replay import get_internals
from numpy.typing import NDArray

from pipeline.protocols.stins import StinsFrame, parse, stins_series
from pipeline.simulation.scan import BurstScan, detector_frames, sardana_records

PILATUS, SARDANA = "lab6_pilatus.cbors.gz", "lab6_sardana.cbors"
SCAN = BurstScan(steps=5, burst=6)
"""Of both recordings."""
_SEED = 1
_CBOR = 55799
"""Tag that dranspose's ingesters put before each message."""


def captures_folder() -> Path:
    """Return where recordings of the beamline are, if there are any."""
    beside = Path(__file__).parents[2].parent / "shared" / "captures"
    return Path(os.environ.get("FEMTOTANGO_CAPTURES") or beside)


@dataclass(frozen=True)
class Recording:
    """The files of a recorded scan."""

    pilatus: Path
    sardana: Path
    masked: int
    """Pixels without a value in any frame."""
    total: float
    """Sum of all frames' valid pixels [TOT]."""

    @property
    def files(self) -> list[str]:
        """Both files, as commands take them."""
        return [str(self.pilatus), str(self.sardana)]

    @cached_property
    def frames(self) -> NDArray[np.float32]:
        """All frames, ``(30, ny, nx)`` [TOT]; gaps and dead pixels are negative."""
        found = []
        for message in get_internals(self.pilatus):
            content = parse(message.streams["pilatus"].frames)
            if isinstance(content, StinsFrame):
                found.append(content.image)
        return np.array(found)

    @cached_property
    def sum(self) -> NDArray[np.float64]:
        """Sum of the frames' valid pixels, ``(ny, nx)``; NaN where no frame has one."""
        valid = self.frames >= 0
        total = np.where(valid, self.frames, 0).sum(axis=0, dtype=np.float64)
        return np.where(valid.any(axis=0), total, np.nan)


def write_recording(
    path: Path, stream: str, kind: str, messages: Iterable[tuple[int, Sequence[bytes]]]
) -> None:
    """Write a recording as dranspose's ingesters do.

    Args:
        path: a file ``.cbors`` or ``.cbors.gz``.
        stream: name of the stream.
        kind: dranspose's type of the stream.
        messages: event number and parts of each.
    """
    packed = path.suffix == ".gz"
    with gzip.open(path, "wb", compresslevel=1) if packed else path.open("wb") as file:
        for event, parts in messages:
            data = StreamData(typ=kind, frames=list(parts))
            message = InternalWorkerMessage(event_number=event, streams={stream: data})
            cbor2.dump(cbor2.CBORTag(_CBOR, message), file, default=message_encoder)


def simulate_recording(folder: Path, scan: BurstScan = SCAN) -> Recording:
    """Write what the ingesters would record of a simulated scan."""
    pilatus, sardana = folder / PILATUS, folder / SARDANA
    frames = np.array(list(detector_frames("pilatus", _SEED, scan.frame_positions)))
    write_recording(pilatus, "pilatus", "STINS", enumerate(stins_series(frames)))
    count = scan.steps * scan.burst
    # A record comes with the last frame of its step; the start is event 0.
    events = [0, *range(scan.burst, count + 1, scan.burst), count + 1]
    records = ([json.dumps(record).encode()] for record in sardana_records(scan))
    write_recording(sardana, "sardana", "sardana", zip(events, records, strict=True))
    masked = np.count_nonzero((frames < 0).all(axis=0))
    return Recording(pilatus, sardana, masked, float(frames[frames >= 0].sum(dtype=np.float64)))


def captured_recording(folder: Path) -> Recording:
    """Return the one from the beamline; its numbers were found when it was published."""
    return Recording(folder / PILATUS, folder / SARDANA, masked=108_441, total=1_555_495.6)


def _kinds() -> list[str]:
    there = (captures_folder() / PILATUS).is_file()
    return ["simulated", *(["captured"] if there else [])]


@pytest.fixture(scope="session", params=_kinds())
def lab6(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Give a recorded LaB6 scan; see above."""
    if request.param == "captured":
        return captured_recording(captures_folder())
    return simulate_recording(tmp_path_factory.mktemp("lab6"))
