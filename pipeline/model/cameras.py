"""What each camera stream is: pixel size, how its numbers are meant, what is masked."""

from dataclasses import dataclass

CAMERAS = ("pilatus", "andor3_zyla10", "andor3_zyla12", "andor3_balor")


class Unit:
    """What the numbers of an image mean."""

    COUNTS = "counts"
    ADU = "ADU"
    TOT = "TOT"


@dataclass(frozen=True)
class Detector:
    """Facts about a camera that its stream does not carry."""

    stream: str
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


DETECTORS = {
    detector.stream: detector
    for detector in (
        Detector("pilatus", (172e-6, 172e-6), photon_counting=True),
        Detector("andor3_zyla10", (6.5e-6, 6.5e-6), photon_counting=False),
        Detector("andor3_zyla12", (6.5e-6, 6.5e-6), photon_counting=False),
        Detector("andor3_balor", (12e-6, 12e-6), photon_counting=False, finds_photons=True),
    )
}
"""By stream name."""
