"""How well found photons agree with the simulated ones."""

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from pipeline.protocols.batch import PhotonList
from pipeline.simulation.balor import Truth


def places(photons: PhotonList | Truth) -> np.ndarray:
    return np.stack([photons.y, photons.x], axis=1)


@dataclass
class Quality:
    """Collects frames; a hit within 1 px of a true photon has found it."""

    pileup_threshold: float
    true: int = 0
    seen: int = 0
    apart: int = 0
    """True photons with a hit of their own."""
    found: int = 0
    false: int = 0
    """Hits more than 2 px away from every true photon."""
    errors: list[np.ndarray] = field(default_factory=list)
    shifts: list[np.ndarray] = field(default_factory=list)

    def add(self, photons: PhotonList, truth: Truth) -> None:
        to_found, _ = cKDTree(places(photons)).query(places(truth))
        to_true, index = cKDTree(places(truth)).query(places(photons))
        near = to_true < 1.0
        self.true += len(truth)
        self.seen += int((to_found < 1.0).sum())
        self.apart += len(np.unique(index[near]))
        self.found += len(photons)
        self.false += int((to_true > 2.0).sum())
        # Where two photons pile up, neither has a position and an energy of its own.
        alone = near & ~photons.falsified
        self.errors.append((places(photons) - places(truth)[index])[alone])
        self.shifts.append((photons.energy - truth.energy[index])[alone])

    def check(self, density: float) -> None:
        """Assert what the beamline asks for."""
        assert self.seen / self.true >= 0.995
        # At 1e-3 photons per pixel 0.6 % of the photons merge with a neighbour into one hit.
        assert self.apart / self.true >= (0.995 if density < 1e-3 else 0.99)
        assert self.false / self.found <= 0.005
        rms = np.sqrt(np.mean(np.concatenate(self.errors) ** 2, axis=0))
        assert (rms <= 0.035).all()
        assert abs(np.median(np.concatenate(self.shifts))) <= 15
