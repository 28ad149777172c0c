"""How well found photons agree with the simulated ones."""

import math
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
        assert self.false / self.found <= 0.001
        rms = np.sqrt(np.mean(np.concatenate(self.errors) ** 2, axis=0))
        assert (rms <= 0.035).all()
        assert abs(np.median(np.concatenate(self.shifts))) <= 15


ALONE = 6.0
"""Distance to the next photon [px] at which neither's cloud reaches the other's nine pixels."""
CLEAR = 4.0
"""Distance to the next hot pixel [px] at which it is not among the photon's pixels."""


@dataclass
class IsolatedQuality:
    """Judges photons that nothing but noise disturbs: no other photon, no hot pixel is near."""

    noise: float
    """Standard deviation of the readout noise [ADU]."""
    true: int = 0
    seen: int = 0
    found: int = 0
    false: int = 0
    errors: list[np.ndarray] = field(default_factory=list)
    energies: list[np.ndarray] = field(default_factory=list)

    def add(self, photons: PhotonList, truth: Truth) -> None:
        photon_tree, true_tree = cKDTree(places(photons)), cKDTree(places(truth))
        to_next = true_tree.query(places(truth), k=2)[0][:, 1]
        to_hot = cKDTree(truth.hot_pixels).query(places(truth))[0]
        isolated = (to_next > ALONE) & (to_hot > CLEAR)
        to_found, index = photon_tree.query(places(truth))
        seen = isolated & (to_found < 1.0)
        self.true += int(isolated.sum())
        self.seen += int(seen.sum())
        self.found += len(photons)
        self.false += int((true_tree.query(places(photons))[0] > 2.0).sum())
        self.errors.append(places(photons)[index[seen]] - places(truth)[seen])
        self.energies.append(photons.energy[index[seen]])

    @property
    def efficiency(self) -> float:
        return self.seen / self.true

    @property
    def rms(self) -> np.ndarray:
        """Return the error of the position in y and in x [px]."""
        return np.sqrt(np.mean(np.concatenate(self.errors) ** 2, axis=0))

    @property
    def noise_floor(self) -> float:
        """Return what the noise of the six pixels beside the middle adds to each axis [px]."""
        return self.noise * math.sqrt(6) / float(np.mean(np.concatenate(self.energies)))
