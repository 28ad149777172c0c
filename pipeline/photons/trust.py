"""May the photon list replace the raw data? A pure decision, with its reason."""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.model.parameters import Settings

MIN_PHOTONS = 100
"""Photons that this scan or the last must have given before anything can be said about them."""

NEWEST_PHOTONS = 10_000
"""Pile-up is judged over so many photons too, so that a beam that gets stronger is noticed."""


class FileState(StrEnum):
    """Where the photon file of a scan stands."""

    UNNAMED = "unnamed"
    """The header names no raw file: live viewing."""
    OFF = "off"
    """The file is not wanted."""
    WRITING = "writing"
    """The file takes photons, or has taken them."""
    FAILED = "failed"
    """Photons were lost: no file, or no space."""


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
    file: FileState
    file_problem: str = ""
    newest_photons: int = 0
    """The newest photons of this scan, at most `NEWEST_PHOTONS`."""
    newest_pileup: int = 0
    previous_photons: int = 0
    """Photons of the scan before."""
    previous_pileup: int = 0
    previous_skipped: int = 0
    missing: str = ""
    """Frames of this scan whose photons are not in the file; empty: none."""
    stalled: str = ""
    """Why newer results are not counted yet; empty: they are."""
    outside: bool = False
    """The photon ROI does not meet the image."""


@dataclass(frozen=True)
class Trust:
    """A verdict."""

    trusted: bool
    """The photons of this scan are what the detector saw."""
    may_drop_raw: bool
    """They are trusted and written: the raw data are not needed."""
    reason: str
    """What is missing and what to do; empty when raw data may be dropped."""


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


def judge(evidence: Evidence, settings: Settings) -> Trust:
    """Decide whether photons are trusted and whether raw data may be dropped.

    Args:
        evidence: counts of the scan and the state of its file.
        settings: photon ROI, `write_photons` and limits in force.

    Returns:
        The verdict; its reason names the first condition that does not hold.
    """
    problem = _distrust(evidence, settings)
    if problem:
        return Trust(trusted=False, may_drop_raw=False, reason=problem)
    unwritten = _unwritten(evidence, settings)
    return Trust(trusted=True, may_drop_raw=not unwritten, reason=unwritten)


def alarms(evidence: Evidence, settings: Settings) -> list[str]:
    """Return a sentence for each thing that went wrong and that somebody should fix."""
    problems = (
        evidence.file_problem,
        _density_problem(evidence, settings),
        _pileup_problem(evidence, settings),
    )
    return [problem for problem in problems if problem]


def _distrust(evidence: Evidence, settings: Settings) -> str:
    if settings.photon_region is None:
        return "Photon detection is off: set PhotonRoi."
    if evidence.outside:
        return "PhotonRoi lies outside of the image: no photon can be found, move it."
    problems = alarms(evidence, settings)
    if problems:
        return problems[0]
    if evidence.stalled:
        return evidence.stalled
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


def _unwritten(evidence: Evidence, settings: Settings) -> str:
    if not settings.write_photons or evidence.file is FileState.OFF:
        return "Photons are trusted but not written: switch WritePhotons on."
    if evidence.file is FileState.UNNAMED:
        return (
            "Photons are trusted but not written: the camera's header names no raw file, "
            "from which the photon file gets its name."
        )
    if evidence.missing:
        return (
            f"Frames {evidence.missing} of this scan have no photons in the file: "
            "their raw data are needed, start a new scan."
        )
    return ""
