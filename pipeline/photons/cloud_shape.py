"""The cloud of charge that a photon leaves: a Gaussian integrated over pixels."""

import math

import numpy as np
from numpy.typing import NDArray

DEFAULT_CLOUD = 0.7
"""σ of the cloud where nothing else is known [pixel]."""
_LOWEST = 1.5
"""Below it, maxima are no longer as rare as the formula assumes."""


def shares(centre: float, sigma: float, reach: int) -> NDArray[np.float64]:
    """Return the share of the charge in each of ``2 reach + 1`` pixels along one axis."""
    # Only the matched filter needs it: workers start without.
    from scipy.special import ndtr

    edges = np.arange(-reach, reach + 2) - 0.5
    return np.diff(ndtr((edges - centre) / sigma))


def reach_of(cloud: float) -> int:
    """Return how many pixels to each side are looked at, for a cloud of this σ."""
    return max(2, math.ceil(2.5 * cloud))


def seen_between(cloud: float) -> float:
    """Return what a photon at the corner of four pixels shows of its ratio at their middles."""
    middle, corner = shares(0.0, cloud, reach_of(cloud)), shares(0.5, cloud, reach_of(cloud))
    return float((middle @ corner) ** 2 / ((middle @ middle) * (corner @ corner)))


def false_alarm_threshold(cloud: float, pixels: int, false_per_frame: float) -> float:
    """Return the signal-to-noise ratio above which noise has so many maxima.

    Maxima of a smooth Gaussian random field above t come at ``|Λ|^½ (2π)^(-3/2) t exp(-t²/2)`` per
    pixel (Adler, The Geometry of Random Fields, 1981); ``|Λ|^½ = Σ (dp/dx)² / Σ p²`` tells how fast
    the ratio varies over the image.

    Args:
        cloud: σ [pixel].
        pixels: in which photons are searched.
        false_per_frame: expected number of maxima above the threshold.
    """
    from scipy.optimize import root_scalar

    step = 1e-4
    reach = reach_of(cloud)
    middle = shares(0.0, cloud, reach)
    slope = (shares(step, cloud, reach) - shares(-step, cloud, reach)) / (2 * step)
    roughness = float(slope @ slope / (middle @ middle))

    def excess(t: float) -> float:
        expected = pixels * roughness * (2 * math.pi) ** -1.5 * t * math.exp(-t * t / 2)
        return math.log(max(expected, 1e-300) / false_per_frame)

    if excess(_LOWEST) < 0:
        return _LOWEST
    return float(root_scalar(excess, bracket=(_LOWEST, 40.0)).root)
