"""Shots of a linac: no two are equally strong, and a monitor tells how strong each was."""

import numpy as np

I0 = "i0"
"""Name of the monitor in the records."""
MEAN_I0 = 1000.0
"""What the monitor shows of an average shot."""


def shot_strengths(seed: int, count: int, fluctuation: float) -> list[float]:
    """Return how strong each shot is; 1 is the average.

    Args:
        seed: the same one gives the same shots, to each camera and to the monitor.
        count: number of shots.
        fluctuation: standard deviation; 0: all are the same. Gamma distributed, as the intensity
            of a source with few modes (Saldin et al., Opt. Commun. 148, 1998, 383).

    Raises:
        ValueError: a fluctuation that no source has.
    """
    if not 0 <= fluctuation <= 1:
        raise ValueError(f"fluctuation {fluctuation}: give 0 … 1, the standard deviation of shots.")
    if fluctuation == 0:
        return [1.0] * count
    modes = fluctuation**-2
    rng = np.random.default_rng((seed, 2))
    return [float(strength) for strength in rng.gamma(modes, 1 / modes, count)]
