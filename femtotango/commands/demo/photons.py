"""Second scan of the demo: single photons on the Balor, compared with the simulated ones."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tango
from numpy.typing import NDArray
from scipy.spatial import KDTree

from femtotango.commands.demo.checks import Check, equal
from femtotango.simulation.beamline import ScanPlayer
from pipeline.model.roi import Roi, format_photon_roi
from pipeline.simulation.balor import BALOR_SHAPE, Truth, stream_balor_frames
from pipeline.simulation.scan import BurstScan

STREAM = "andor3_balor"
SCAN = BurstScan(steps=2, burst=6, number=2)
REGION = Roi(100, 100, BALOR_SHAPE[1] - 200, BALOR_SHAPE[0] - 200)
_SEED = 2
_PHOTONS_PER_PIXEL = 1e-4
_SWITCH_AT = 6
"""Raw data is switched off after this many frames: by then the photons are trusted."""
_COMPILED = 180.0
"""The first photons may take so long, kernels that are not compiled yet included [s]."""
_POLL = 0.1
_NEAR = 1.0
"""A simulated photon counts as found when one is listed within this distance [pixel]."""
_EFFICIENCY, _FALSE, _PEAK = 0.99, 0.005, 20.0


@dataclass(frozen=True)
class PhotonResult:
    """What a Tango client reads after the scan, and the content of the photon file."""

    frames: int
    counts: float
    unit: str
    photons: int
    trusted: bool
    reason: str
    path: Path
    columns: dict[str, NDArray[Any]]
    """Columns frame, y, x and energy of the file."""
    complete: int
    energy: NDArray[np.float64]
    histogram: NDArray[np.float64]
    thresholds: dict[str, float]
    raw_was_off: bool
    """SaveRaw could be switched off while frames arrived."""


def play(
    player: ScanPlayer, raw_file: Path, sent: Callable[[int], None]
) -> tuple[list[Truth], bool]:
    """Run the scan.

    Args:
        player: sends the frames to the stack.
        raw_file: absolute path that the header names; nothing is written there.
        sent: called with the number of frames sent.

    Returns:
        The simulated photons of each frame, and whether raw data could be switched off meanwhile.
    """
    truths: list[Truth] = []
    raw_was_off: list[bool] = []
    player.write(Accumulate=True, PhotonRoi=format_photon_roi(REGION), Rois="{}")
    player.device.ResetAccumulation()

    def watch(number: int) -> None:
        sent(number)
        if number == _SWITCH_AT:
            _drop_raw_data(player)
            raw_was_off.append(not player.wait_until("SaveRaw", lambda value: value is False))

    player.prepare(STREAM, SCAN)
    player.play(STREAM, _frames(truths), SCAN, filename=str(raw_file), sent=watch)
    player.wait_finished()
    player.write(SaveRaw=True)
    return truths, bool(raw_was_off and raw_was_off[0])


def _drop_raw_data(player: ScanPlayer) -> None:
    """Switch raw saving off as soon as the device permits it: when photons are found and safe."""
    deadline = time.monotonic() + _COMPILED
    while True:
        try:
            player.write(SaveRaw=False)
        except tango.DevFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL)
        else:
            return


def _frames(truths: list[Truth]) -> Iterator[NDArray[np.uint16]]:
    rng = np.random.default_rng(_SEED)
    for image, truth in stream_balor_frames(rng, photons_per_pixel=_PHOTONS_PER_PIXEL):
        if len(truths) == len(SCAN.frame_positions):
            return
        truths.append(truth)
        yield image


def read(player: ScanPlayer, raw_was_off: bool) -> PhotonResult:
    """Read the results through Tango, and the photon file that they name."""
    path = Path(player.wait_until("PhotonFile", bool))
    with h5py.File(path) as file:
        names = ("frame", "y", "x", "energy")
        columns = {name: np.asarray(_value(file, f"entry/photons/{name}")) for name in names}
        complete = int(_value(file, "entry/complete"))
    return PhotonResult(
        frames=player.read("FrameCount"),
        counts=float(np.nansum(player.read("AccumulatedImage"), dtype=np.float64)),
        unit=player.read("ImageUnit"),
        photons=player.read("PhotonCount"),
        trusted=player.read("Trusted"),
        reason=player.read("TrustReason"),
        path=path,
        columns=columns,
        complete=complete,
        energy=player.read("EnergyAxis"),
        histogram=player.read("EnergyHistogram"),
        thresholds={
            name: player.read(name)
            for name in ("EnergyThreshold", "ViewThreshold", "PileupThreshold")
        },
        raw_was_off=raw_was_off,
    )


def _value(file: h5py.File, path: str) -> Any:
    dataset = file[path]
    assert isinstance(dataset, h5py.Dataset)
    return dataset[()]


def check(result: PhotonResult, truths: Sequence[Truth]) -> list[Check]:
    """Compare what Tango and the file show with the simulated photons."""
    sent, found, false, distance = _match(result, truths)
    above = int((result.columns["energy"] > result.thresholds["ViewThreshold"]).sum())
    peak = float(result.energy[np.argmax(result.histogram)])
    true_peak = float(np.median(np.concatenate([truth.energy for truth in truths])))
    return [
        equal("frames in the clean image", len(truths), result.frames),
        equal("unit of the clean image", "counts", result.unit),
        equal("photons in the file", result.photons, len(result.columns["energy"])),
        equal("the file is complete", 1, result.complete),
        equal("counts in the clean image", above, round(result.counts)),
        Check(
            "simulated photons that were found",
            f"{sent}",
            f"{found} ({found / sent:.2%})",
            found >= _EFFICIENCY * sent,
        ),
        Check("photons that were not there", "0", f"{false}", false <= _FALSE * sent),
        Check("position [pixel rms per axis]", "≤ 0.035", f"{distance:.4f}", 0 < distance <= 0.035),
        Check(
            "energy peak [ADU]",
            f"{true_peak:.0f}",
            f"{peak:.0f}",
            abs(peak - true_peak) < _PEAK,
        ),
        Check(
            "trusted",
            "True",
            " ".join([str(result.trusted), result.reason]).strip(),
            result.trusted,
        ),
        equal("raw data was switched off meanwhile", True, result.raw_was_off),
    ]


def _match(result: PhotonResult, truths: Sequence[Truth]) -> tuple[int, int, int, float]:
    """Match the simulated photons with the listed ones.

    Returns:
        Number of simulated photons in the region, number of them that are listed, number of listed
        photons that were not simulated, and the rms distance per axis [pixel].
    """
    sent = found = false = 0
    squares = 0.0
    for frame, truth in enumerate(truths):
        here = result.columns["frame"] == frame
        listed = np.stack([result.columns["y"][here], result.columns["x"][here]], axis=1)
        true = np.stack([truth.y, truth.x], axis=1)
        low, high = (REGION.y, REGION.x), (REGION.y + REGION.height, REGION.x + REGION.width)
        inside = ((true > np.array(low)) & (true < np.array(high) - 1)).all(axis=1)
        distance, _ = KDTree(listed).query(true[inside])
        near = distance[distance < _NEAR]
        sent, found = sent + len(distance), found + len(near)
        squares += float((near**2).sum()) / 2
        false += int((KDTree(true).query(listed)[0] >= _NEAR).sum())
    return sent, found, false, float(np.sqrt(squares / max(found, 1)))
