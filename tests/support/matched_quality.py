"""How many faint photons are found, how many are false, and what their errors are worth."""

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import KDTree
from support.faint import faint_camera

from pipeline.model.roi import Roi
from pipeline.photons.calibration import Calibration, calibrate
from pipeline.photons.detection import find_photons
from pipeline.photons.matched import MatchedFilter

CLOUD, DENSITY, FALSE = 0.7, 1e-4, 0.01
_NEAR = 1.5
"""A hit so near to a photon is that photon [pixel]."""
_NOISY = 1.9
"""Pixels so many times as noisy as the median are masked."""


@dataclass
class Hits:
    """What one method gives, over all frames."""

    score: list[float] = field(default_factory=list)
    """What a threshold is laid on."""
    photon: list[int] = field(default_factory=list)
    """The photon that it is; -1: none."""

    def add(self, score: np.ndarray, near: np.ndarray, which: np.ndarray) -> None:
        self.score += list(score)
        self.photon += list(np.where(near, which, -1))

    def efficiency(self, photons: int) -> float:
        """Return the share of the photons that is found with 1 % false hits."""
        order = np.argsort(self.score)[::-1]
        photon = np.array(self.photon)[order]
        false = np.cumsum(photon < 0)
        allowed = np.flatnonzero(false <= FALSE * np.arange(1, len(photon) + 1))
        if not len(allowed):
            return 0.0
        found = photon[: allowed[-1] + 1]
        return len(np.unique(found[found >= 0])) / photons


@dataclass
class Quality:
    """What frames of one kind give."""

    photons: int = 0
    matched: Hits = field(default_factory=Hits)
    sums: Hits = field(default_factory=Hits)
    masked: Hits = field(default_factory=Hits)
    found: int = 0
    """By the filter, above the threshold of 1 % false hits that its formula gives."""
    false: int = 0
    off: list[float] = field(default_factory=list)
    """Of those, measured minus true position, y and x [pixel]."""
    pulls: list[tuple[float, float, float]] = field(default_factory=list)
    """Of those, measured minus true y, x and energy, over the stated errors."""

    @property
    def widths(self) -> list[float]:
        """Robust widths of the pulls of y, x and energy."""
        return [robust_width(pulls) for pulls in np.transpose(self.pulls)]


def robust_width(values: np.ndarray) -> float:
    """Return half of the range of the middle 68.3 %."""
    low, high = np.percentile(values, [15.865, 84.135])
    return float(high - low) / 2


def measure(
    seed: int, energy: float, noise: float, size: int = 512, frames: int = 40, sums: bool = False
) -> Quality:
    """Simulate a camera, calibrate it with 200 dark frames, and look for photons.

    Args:
        seed: of everything.
        energy: of all photons [ADU].
        noise: median of the pixels [ADU].
        size: of the square frames [pixel].
        frames: with photons.
        sums: look for them with sums of nine pixels too.
    """
    rng = np.random.default_rng(seed)
    camera = faint_camera(rng, size, noise)
    calibration = calibrate(camera.frame(rng) for _ in range(200))
    strict = MatchedFilter(calibration, CLOUD, FALSE * DENSITY * size**2)
    loose = MatchedFilter(calibration, CLOUD, 2 * DENSITY * size**2)
    result = Quality()
    for _ in range(frames):
        y, x = camera.places(rng, DENSITY)
        image = camera.frame(rng, y, x, energy, CLOUD)
        tree = KDTree(np.stack([y, x], 1))
        hits = loose.find(image)
        near, which = _nearest(tree, hits.y, hits.x)
        result.matched.add(hits.snr, near, which + result.photons)
        kept = hits.snr >= strict.threshold
        result.found += len(np.unique(which[kept & near]))
        result.false += int(np.count_nonzero(kept & ~near))
        use = kept & near & (hits.flags == 0)
        dy, dx = hits.y[use] - y[which[use]], hits.x[use] - x[which[use]]
        result.off += [*dy, *dx]
        pulls = (
            dy / hits.y_error[use],
            dx / hits.x_error[use],
            (hits.energy[use] - energy) / hits.energy_error[use],
        )
        result.pulls += list(zip(*pulls, strict=True))
        if sums:
            _add_sums(result, image, calibration, tree)
        result.photons += len(y)
    return result


def _add_sums(result: Quality, image: np.ndarray, known: Calibration, tree: KDTree) -> None:
    """Look for photons by sums of nine pixels, with offsets taken off each pixel."""
    signal = (image - known.offset).astype(np.float32)
    noisy = known.noise > _NOISY * known.median_noise
    for hits, pixels in (
        (result.sums, signal),
        (result.masked, np.where(noisy, np.float32(0), signal)),
    ):
        found = find_photons(
            pixels,
            background=0.0,
            photon_threshold=2 * known.median_noise,
            energy_threshold=6 * known.median_noise,
            pileup_threshold=1e6,
            hot_pixel_ratio=1.0,
            max_hit_density=1.0,
            roi=Roi(0, 0, image.shape[1], image.shape[0]),
        ).photons
        near, which = _nearest(tree, found.y, found.x)
        hits.add(found.energy, near, which + result.photons)


def _nearest(tree: KDTree, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which hits are at a photon, and the photon nearest to each."""
    distance, which = tree.query(np.stack([y, x], 1).reshape(-1, 2))
    return distance < _NEAR, which
