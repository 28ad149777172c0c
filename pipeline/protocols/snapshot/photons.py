"""What is published of single photons: count, verdict, file, and energies."""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.groups import Group, plotted, published, value


@published
class Photons(Group):
    """Single-photon state of a scan; without photon detection only the verdict."""

    count: int | None = value("Photons of this scan.", default=None)
    skipped_frames: int | None = value("Frames that were too dense to search.", default=None)
    trusted: int = value("1: the photons are what the detector saw.", default=0)
    may_drop_raw: int = value("1: raw data are not needed.", default=0)
    reason: str = value("Why photons are not trusted, or raw data must be kept.", default="")
    filename: str | None = value("File of this scan's photons.", default=None)
    untrusted_frames: str | None = value(
        "Frames that have no trusted photons in the file.", default=None
    )
    pileup_fraction: float = value(
        "Share of photons that overlap others or are above PileupThreshold.", default=math.nan
    )
    hit_density: float = value(
        "Pixels above PhotonThreshold per ROI pixel in the newest frame.", default=math.nan
    )
    save_raw: int | None = value("The header's `save_raw`, where it has one.", default=None)


@published
class EnergyHistogram(Group):
    """Photons of a scan by energy."""

    nexus = plotted("counts", "energy")

    energy: NDArray[np.float64] = value(
        "Bin centres.",
        default=np.empty(0),
        unit="ADU",
        shape="(bin,)",
        attributes={"long_name": "3x3 sum [ADU]"},
    )
    counts: NDArray[np.int64] = value(
        "Photons per bin.",
        default=np.empty(0, np.int64),
        shape="(bin,)",
        attributes={"long_name": "photons"},
    )
