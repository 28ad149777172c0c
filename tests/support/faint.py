"""Faint photons on a camera whose pixels differ: offsets, noise, noisy pixels."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

_REACH = 5


@dataclass(frozen=True)
class FaintCamera:
    """Offset and noise of each pixel [ADU]."""

    offset: np.ndarray
    noise: np.ndarray

    def frame(
        self,
        rng: np.random.Generator,
        y: np.ndarray | None = None,
        x: np.ndarray | None = None,
        energy: float | np.ndarray = 0.0,
        cloud: float = 0.7,
    ) -> np.ndarray:
        """Simulate a frame with photons at these places."""
        image = self.offset + self.noise * rng.standard_normal(self.offset.shape)
        if y is not None and x is not None:
            edges = np.arange(-_REACH, _REACH + 2) - 0.5
            row, column = np.floor(y + 0.5).astype(int), np.floor(x + 0.5).astype(int)
            fy = np.diff(ndtr((edges - (y - row)[:, None]) / cloud), axis=1)
            fx = np.diff(ndtr((edges - (x - column)[:, None]) / cloud), axis=1)
            charge = (
                fy[:, :, None] * fx[:, None, :] * np.broadcast_to(energy, y.shape)[:, None, None]
            )
            steps = np.arange(-_REACH, _REACH + 1)
            rows = np.broadcast_to((row[:, None] + steps)[:, :, None], charge.shape)
            columns = np.broadcast_to((column[:, None] + steps)[:, None, :], charge.shape)
            inside = (rows >= 0) & (rows < image.shape[0])
            inside &= (columns >= 0) & (columns < image.shape[1])
            np.add.at(image, (rows[inside], columns[inside]), charge[inside])
        return np.clip(np.rint(image), 0, 65535).astype(np.uint16)

    def places(
        self, rng: np.random.Generator, photons_per_pixel: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw places of photons."""
        ny, nx = self.offset.shape
        count = rng.poisson(photons_per_pixel * ny * nx)
        return rng.uniform(3, ny - 4, count), rng.uniform(3, nx - 4, count)


def faint_camera(rng: np.random.Generator, size: int, noise: float) -> FaintCamera:
    """Make a camera: offsets ± 1.5 ADU, noise ± 25 %, 1 % of the pixels 2 to 6 times noisier."""
    offset = 100 + rng.normal(0, 1.5, (size, size))
    sigma = noise * np.exp(rng.normal(0, 0.25, (size, size)))
    noisy = rng.random((size, size)) < 0.01
    sigma[noisy] = noise * rng.uniform(2, 6, np.count_nonzero(noisy))
    return FaintCamera(offset, sigma)
