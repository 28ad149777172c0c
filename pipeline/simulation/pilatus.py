"""Simulated Pilatus frames: powder rings of LaB6, module gaps, dead pixels, time over threshold."""

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.model.cameras import CAMERAS
from pipeline.model.constants import HC

PILATUS_SHAPE = CAMERAS["pilatus"].shape
"""``(ny, nx)`` [pixel]."""
_PIXEL_SIZE = CAMERAS["pilatus"].pixel_size
LAB6_CELL = 4.1569
"""[Å]"""
PHOTON_ENERGY = 13.5
"""[keV]"""
DISTANCE = 0.131
"""[m]"""
BEAM = (373.0, 210.0)
"""``(y, x)``, Fit2D centre [pixel]."""

POLARIZATION = 0.99
"""Share of the light that is polarised horizontally, less the share that is so vertically."""

GAP = -1.0
DEAD = -2.0

_PHOTONS = 4300.0
_LINE_WIDTH = 0.02
"""Standard deviation of a line [1/Å]."""
_DECAY = 4.5
"""Lines get weaker towards larger q [1/Å]."""
_LINES_SHARE = 0.55
_DEAD_PIXELS = 117
_MODULE = (195, 487)
_MODULE_GAP = (17, 7)
_CHIP = (97, 60)
_TOT_STEP = 0.1


def lab6_lines(q_max: float) -> dict[float, int]:
    """Return the powder lines of LaB6 (primitive cubic) and their multiplicities.

    Args:
        q_max: upper limit [1/Å].

    Returns:
        Multiplicity by ``q = 2 pi / a sqrt(h² + k² + l²)`` [1/Å], ascending.
    """
    reach = math.ceil(q_max * LAB6_CELL / (2 * math.pi))
    h = np.arange(-reach, reach + 1)
    sums = (h[:, None, None] ** 2 + h[:, None] ** 2 + h**2).ravel()
    numbers, counts = np.unique(sums[sums > 0], return_counts=True)
    lines = 2 * math.pi / LAB6_CELL * np.sqrt(numbers)
    return {float(q): int(n) for q, n in zip(lines, counts, strict=True) if q <= q_max}


def _from_beam(shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each row and each column is from the beam, ``(ny, 1)`` and ``(1, nx)`` [m]."""
    y, x = (
        (np.arange(0.5, size, dtype=np.float64) - beam) * pixel
        for size, beam, pixel in zip(shape, BEAM, _PIXEL_SIZE, strict=True)
    )
    return y[:, None], x[None, :]


def q_of_pixels(shape: tuple[int, int] = PILATUS_SHAPE) -> NDArray[np.float64]:
    """Return the scattering vector of each pixel's centre, ``shape`` float64 [1/Å]."""
    two_theta = np.arctan(np.hypot(*_from_beam(shape)) / DISTANCE)
    return 4 * math.pi * np.sin(two_theta / 2) * PHOTON_ENERGY / (1e10 * HC)


def polarization(factor: float, shape: tuple[int, int] = PILATUS_SHAPE) -> NDArray[np.float64]:
    """Return how much of the light each pixel sees for the beam's polarisation.

    Args:
        factor: 1 horizontal, 0 unpolarised, -1 vertical.
        shape: ``(ny, nx)`` of the image.

    Returns:
        ``shape`` float64, 1 in forward direction: ``(1 + cos² 2θ - factor cos 2χ sin² 2θ) / 2``
        with χ from the horizontal, as pyFAI's ``polarization_factor`` (Kahn et al., J. Appl. Cryst.
        15, 1982, 330).
    """
    y, x = _from_beam(shape)
    two_theta = np.arctan(np.hypot(y, x) / DISTANCE)
    chi = np.arctan2(y, x)
    sine = np.sin(two_theta) ** 2
    seen = (2 - sine - factor * np.cos(2 * chi) * sine) / 2
    return np.asarray(seen, np.float64)


def gaps(shape: tuple[int, int] = PILATUS_SHAPE) -> NDArray[np.bool_]:
    """Return the pixels between modules and between their chips, ``shape`` bool."""
    rows = _gap_lines(shape[0], _MODULE[0], _MODULE_GAP[0], _CHIP[0])
    columns = _gap_lines(shape[1], _MODULE[1], _MODULE_GAP[1], _CHIP[1])
    return rows[:, None] | columns[None, :]


def _gap_lines(size: int, module: int, gap: int, chip: int) -> NDArray[np.bool_]:
    place = np.arange(size) % (module + gap)
    return (place >= module) | ((place % (chip + 1) == chip) & (place < module))


def brightness(position: float) -> float:
    """Return the relative intensity at a motor position: a peak at 1.5 on a pedestal."""
    return 0.6 + 0.6 * math.exp(-(((position - 1.5) / 0.3) ** 2))


class LaB6Pilatus:
    """A detector with its own dead pixels that looks at a LaB6 powder.

    Args:
        seed: of the dead pixels.
        factor: polarisation of the beam, as in `polarization`.
    """

    def __init__(self, seed: int = 0, factor: float = POLARIZATION) -> None:
        rng = np.random.default_rng((seed, 1))
        self._factor = factor
        self.empty = np.zeros(PILATUS_SHAPE, np.float32)
        self.empty[gaps()] = GAP
        good = np.flatnonzero(self.empty == 0)
        self.empty.reshape(-1)[rng.choice(good, _DEAD_PIXELS, replace=False)] = DEAD

    @cached_property
    def _cumulative(self) -> NDArray[np.float64]:
        """Running sum over the pixels of the probability that a photon arrives there."""
        q = q_of_pixels()
        diffuse = np.exp(-q / 2.2)
        lines = np.zeros_like(q)
        for line, multiplicity in lab6_lines(float(q.max()) + 0.1).items():
            near = np.abs(q - line) < 5 * _LINE_WIDTH
            shape = np.exp(-(((q[near] - line) / _LINE_WIDTH) ** 2) / 2)
            lines[near] += multiplicity / line**2 * math.exp(-((line / _DECAY) ** 2)) * shape
        density = (1 - _LINES_SHARE) * diffuse / diffuse.sum() + _LINES_SHARE * lines / lines.sum()
        density *= polarization(self._factor)
        density[self.empty < 0] = 0.0
        return np.cumsum(density) / density.sum()

    def frame(
        self, rng: np.random.Generator, position: float = 1.5, strength: float = 1.0
    ) -> NDArray[np.float32]:
        """Simulate one frame.

        Args:
            rng: source of the photons.
            position: motor position; `brightness` follows it.
            strength: of the shot; 1 is the average.

        Returns:
            ``(831, 1475) float32``: time over threshold in steps of 0.1, gaps −1, dead pixels −2.
        """
        count = int(rng.poisson(_PHOTONS * brightness(position) * strength))
        pixels = np.searchsorted(self._cumulative, rng.random(count))
        shared = rng.random(count) < 0.3
        time = np.where(shared, rng.normal(4.7, 1.2, count), rng.normal(13.5, 1.7, count))
        time[rng.random(count) < 0.02] *= 4
        total = np.bincount(pixels, weights=np.maximum(time, _TOT_STEP), minlength=self.empty.size)
        steps = np.round(total / _TOT_STEP) * _TOT_STEP
        return self.empty + steps.astype(np.float32).reshape(PILATUS_SHAPE)
