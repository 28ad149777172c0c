"""Are the photons what the detector saw? They are counted, and judged; with a reason."""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import PhotonFrame

MIN_PHOTONS = 100
"""Photons that this scan or the last must have given before anything can be said about them."""

NEWEST_PHOTONS = 10_000
"""Pile-up is judged over so many photons too, so that a beam that gets stronger is noticed."""


@dataclass(frozen=True)
class PhotonsBefore:
    """What the scan before says about the beam."""

    photons: int
    pileup: int
    skipped: int


NOTHING_BEFORE = PhotonsBefore(0, 0, 0)


@dataclass(frozen=True)
class Evidence:
    """What speaks for or against a scan's photons."""

    photons: int
    pileup: int
    """Photons that overlap others or are above the pile-up threshold."""
    skipped_frames: int
    """Frames that the density guard refused."""
    densest: float
    """Highest density of a skipped frame; pixels above threshold per ROI pixel."""
    newest_photons: int = 0
    """The newest photons of this scan, at most `NEWEST_PHOTONS`."""
    newest_pileup: int = 0
    previous_photons: int = 0
    """Photons of the scan before."""
    previous_pileup: int = 0
    previous_skipped: int = 0
    outside: bool = False
    """The photon ROI does not meet the image."""


class PhotonTally:
    """Counts what speaks for or against the photons of one scan.

    Args:
        before: what the scan before gave.
    """

    def __init__(self, before: PhotonsBefore) -> None:
        self._before = before
        self.photons = 0
        self._pileup = 0
        self._newest = np.empty(0, bool)
        """Which of the newest photons are falsified."""
        self.skipped = 0
        self._densest = 0.0
        self.density = math.nan
        """Of the newest frame."""
        self._outside = False

    def add(self, result: PhotonFrame) -> None:
        """Count what was found in one frame."""
        self.density = result.density
        self._outside = math.isnan(result.density)
        if result.skipped:
            self.skipped += 1
            self._densest = max(self._densest, result.density)
        falsified = result.photons.falsified
        self.photons += len(falsified)
        self._pileup += int(np.count_nonzero(falsified))
        self._newest = np.concatenate([self._newest, falsified])[-NEWEST_PHOTONS:]

    @property
    def summary(self) -> PhotonsBefore:
        """What the next scan should know."""
        return PhotonsBefore(self.photons, self._pileup, self.skipped)

    @property
    def evidence(self) -> Evidence:
        """What speaks for or against the photons now."""
        return Evidence(
            photons=self.photons,
            pileup=self._pileup,
            newest_photons=len(self._newest),
            newest_pileup=int(np.count_nonzero(self._newest)),
            skipped_frames=self.skipped,
            densest=self._densest,
            previous_photons=self._before.photons,
            previous_pileup=self._before.pileup,
            previous_skipped=self._before.skipped,
            outside=self._outside,
        )


def pileup_share(evidence: Evidence) -> float:
    """Return the share of piled-up photons that the verdict rests on.

    It is that of the scan or that of its newest photons, whichever is larger. One pile-up among the
    first photons of a scan says nothing: while there are fewer than `MIN_PHOTONS`, those of the
    scan before are counted in.
    """
    photons, pileup = evidence.photons, evidence.pileup
    if photons < MIN_PHOTONS:
        photons += evidence.previous_photons
        pileup += evidence.previous_pileup
    share = pileup / photons if photons else 0.0
    if evidence.newest_photons < NEWEST_PHOTONS:
        return share
    return max(share, evidence.newest_pileup / evidence.newest_photons)


def alarms(evidence: Evidence, settings: Settings) -> list[str]:
    """Return a sentence for each thing that is wrong with the beam and that somebody should fix."""
    problems = (_density_problem(evidence, settings), _pileup_problem(evidence, settings))
    return [problem for problem in problems if problem]


def distrust(evidence: Evidence, settings: Settings) -> str:
    """Say why the photons are not what the detector saw, and what to do; empty: they are.

    Args:
        evidence: counts of the scan.
        settings: photon ROI and limits in force.
    """
    if settings.photon_region is None:
        return "Photon detection is off: set PhotonRoi."
    if settings.matched is not None:
        return "Photons are searched with a matched filter, close to the noise: keep the raw data."
    if evidence.outside:
        return "PhotonRoi lies outside of the image: no photon can be found, move it."
    problems = alarms(evidence, settings)
    if problems:
        return problems[0]
    if evidence.photons < MIN_PHOTONS and evidence.previous_skipped:
        return (
            f"{evidence.previous_skipped} frames of the last scan were skipped and this one has "
            f"{evidence.photons} photons yet; {MIN_PHOTONS} are needed."
        )
    if max(evidence.photons, evidence.previous_photons) < MIN_PHOTONS:
        return (
            f"Too few photons to judge: {evidence.photons} in this scan, "
            f"{evidence.previous_photons} in the last; {MIN_PHOTONS} are needed."
        )
    return ""


def _density_problem(evidence: Evidence, settings: Settings) -> str:
    if not evidence.skipped_frames:
        return ""
    return (
        f"{evidence.skipped_frames} frames of this scan were skipped, the densest with "
        f"{evidence.densest:.2g} pixels above PhotonThreshold per pixel (MaxHitDensity is "
        f"{settings.max_hit_density:g} now): attenuate the beam, then start a new scan."
    )


def _pileup_problem(evidence: Evidence, settings: Settings) -> str:
    share = pileup_share(evidence)
    if share <= settings.max_pileup:
        return ""
    return (
        f"{share:.2%} of the photons overlap others or are above PileupThreshold "
        f"{settings.pileup_threshold:g} ADU (MaxPileup {settings.max_pileup:.2%}): two photons hit "
        "the same pixels too often, attenuate the beam, then start a new scan."
    )
