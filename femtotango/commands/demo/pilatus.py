"""First scan of the demo: LaB6 on the Pilatus, read back through Tango."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.commands.demo.checks import Check, equal
from femtotango.simulation.beamline import ScanPlayer
from pipeline.model.roi import Roi, format_rois
from pipeline.simulation.pilatus import BEAM, DISTANCE, PHOTON_ENERGY, lab6_lines
from pipeline.simulation.scan import BurstScan, detector_frames

STREAM = "pilatus"
ROIS = {"ring": Roi(355, 330, 35, 90), "between": Roi(290, 330, 35, 90)}
SCAN = BurstScan(steps=5, burst=6)
_SEED = 1
_RINGS = 12
_NEAR = 0.015
"""A peak within this distance of a line belongs to it [1/Å]."""


@dataclass(frozen=True)
class PilatusResult:
    """What a Tango client reads after the scan."""

    image: NDArray[np.float32]
    """``(ny, nx)``, masked pixels NaN."""
    frames: int
    x: NDArray[np.float64]
    x_label: str
    names: list[str]
    means: NDArray[np.float64]
    """``(roi, step)``"""
    errors: NDArray[np.float64]
    """``(roi, step)``"""
    q: NDArray[np.float64]
    """``(bin,)`` [1/Å]"""
    intensity: NDArray[np.float64]
    """``(bin,)``, azimuthal mean of the image."""
    lines: NDArray[np.float64]
    """q of LaB6's lines on this detector [1/Å]."""
    rings: list[NDArray[np.float64]]
    """Curves of the lines in the image, ``(n, 2)`` of ``(y, x)`` [pixel]."""


def play(player: ScanPlayer, sent: Callable[[int], None]) -> list[NDArray[Any]]:
    """Run the scan and return the frames that were sent."""
    images = list(detector_frames(STREAM, _SEED, SCAN.frame_positions))
    player.write(
        Accumulate=True,
        Rois=format_rois(ROIS),
        PhotonEnergy=PHOTON_ENERGY,
        Distance=DISTANCE,
        BeamX=BEAM[1],
        BeamY=BEAM[0],
    )
    player.device.ResetAccumulation()
    player.prepare(STREAM, SCAN)
    player.play(STREAM, images, SCAN, sent=sent)
    player.wait_finished()
    return images


def read(player: ScanPlayer) -> PilatusResult:
    """Read the results through Tango."""
    player.device.UseCalibrant("LaB6")
    lines = player.read("QValues")
    return PilatusResult(
        image=player.read("AccumulatedImage"),
        frames=player.read("FrameCount"),
        x=player.read("XAxis"),
        x_label=player.read("XLabel"),
        names=list(player.read("RoiNames")),
        means=player.read("RoiMeanCurves"),
        errors=player.read("RoiMeanErrors"),
        q=player.read("AzimuthalQ"),
        intensity=player.read("AzimuthalIntensity"),
        lines=lines,
        rings=[np.reshape(player.device.QCurve(float(q)), (-1, 2)) for q in lines[:_RINGS]],
    )


def check(result: PilatusResult, images: list[NDArray[Any]]) -> list[Check]:
    """Compare what Tango shows with the simulated frames."""
    stack = np.array(images)
    masked = (stack < 0).any(axis=0)
    truth = np.where(masked, np.nan, stack.sum(axis=0, dtype=np.float64))
    checks = [
        equal("frames in the accumulated image", len(images), result.frames),
        equal("motor steps", SCAN.steps, len(result.x)),
        equal("motor positions", SCAN.positions, [float(x) for x in result.x]),
        Check(
            "accumulated image",
            f"sum {np.nansum(truth):.1f}, {masked.sum()} masked pixels",
            f"sum {np.nansum(result.image, dtype=np.float64):.1f}, "
            f"{np.isnan(result.image).sum()} masked pixels",
            np.allclose(result.image, truth, rtol=1e-6, equal_nan=True),
        ),
    ]
    peak = float(result.q[np.nanargmax(result.intensity)])
    line = min(lab6_lines(peak + 1.0), key=lambda q: abs(q - peak))
    checks.append(
        Check(
            "strongest azimuthal peak [1/Å]",
            f"LaB6 {line:.3f}",
            f"{peak:.3f}",
            abs(peak - line) < _NEAR,
        )
    )
    for name, roi in ROIS.items():
        region = roi.slices(truth.shape)
        frames = np.where(stack < 0, np.nan, stack)[:, *region] if region else stack
        means = np.nanmean(frames, axis=(1, 2)).reshape(SCAN.steps, SCAN.burst).mean(axis=1)
        shown = result.means[result.names.index(name)]
        checks.append(
            Check(
                f"mean of ROI {name} per step",
                ", ".join(f"{mean:.4f}" for mean in means),
                ", ".join(f"{mean:.4f}" for mean in shown),
                len(shown) == len(means) and np.allclose(shown, means, rtol=1e-5),
            )
        )
    return checks
