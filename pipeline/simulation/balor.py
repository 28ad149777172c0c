"""Simulated Balor frames: photons whose charge is shared among pixels, noise and hot pixels."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pipeline.model.cameras import CAMERAS

BALOR_SHAPE = CAMERAS["andor3_balor"].shape
"""``(ny, nx)`` of a full Balor frame [pixel]."""

PHOTON_ADU = 1262.0
PHOTON_ADU_SPREAD = 32.0
CORE_SIGMA = 0.50
CORE_SIGMA_SPREAD = 0.05
NARROW_SHARE = 0.10
"""Share of photons absorbed near the pixels' contacts, whose cloud has less time to widen."""
NARROW_SIGMA = (0.20, 0.45)
HALO_SHARE = 0.065
HALO_SIGMA = 1.15
REACH = 4
"""A cloud is drawn within this many pixels of its centre pixel."""
HOT_ADU = (150.0, 3000.0)
_MARGIN = 2
"""No photon is simulated closer to the edge than this, so that each can be found."""
_POOL_ROWS = 64


@dataclass(frozen=True)
class Truth:
    """The photons of one simulated frame, three arrays of equal length, and its hot pixels."""

    y: NDArray[np.float64]
    x: NDArray[np.float64]
    energy: NDArray[np.float64]
    """Charge of the photon's own cloud in the 3×3 pixels around its centre pixel [ADU]."""
    hot_pixels: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    """``(n, 2)`` y and x of the pixels that have too much."""

    def __len__(self) -> int:
        return len(self.energy)


def _edges_to_shares(centre: NDArray[np.float64], sigma: NDArray[np.float64]) -> NDArray:
    """Integrate a Gaussian of each photon over the pixels around its centre pixel."""
    edges = np.arange(-REACH, REACH + 2) - 0.5
    return np.diff(ndtr((edges[None, :] - centre[:, None]) / sigma[:, None]), axis=1)


def draw_clouds(
    rng: np.random.Generator, shape: tuple[int, int], count: int
) -> tuple[Truth, NDArray[np.int64], NDArray[np.float64]]:
    """Draw photons and the charge that each leaves in the pixels around it.

    The cloud reproduces the shapes measured at the beamline: hottest pixel about 450 ADU, 3×3 sum
    about 1210 ADU, 5×5 sum about 1260 ADU.

    Args:
        rng: source of all randomness.
        shape: ``(ny, nx)`` of the image [pixel].
        count: number of photons.

    Returns:
        The truth, the flat pixel numbers ``(n,)`` and the charge in them ``(n,)`` [ADU]; a pixel
        may stand there twice.
    """
    ny, nx = shape
    y = rng.uniform(_MARGIN - 0.5, ny - _MARGIN - 0.5, count)
    x = rng.uniform(_MARGIN - 0.5, nx - _MARGIN - 0.5, count)
    adu = rng.normal(PHOTON_ADU, PHOTON_ADU_SPREAD, count)
    sigma = np.maximum(rng.normal(CORE_SIGMA, CORE_SIGMA_SPREAD, count), 0.2)
    narrow = rng.random(count) < NARROW_SHARE
    sigma[narrow] = rng.uniform(*NARROW_SIGMA, int(narrow.sum()))
    row, column = np.floor(y + 0.5).astype(np.int64), np.floor(x + 0.5).astype(np.int64)
    halo = np.full(count, HALO_SIGMA)
    charge = (1 - HALO_SHARE) * (
        _edges_to_shares(y - row, sigma)[:, :, None]
        * _edges_to_shares(x - column, sigma)[:, None, :]
    ) + HALO_SHARE * (
        _edges_to_shares(y - row, halo)[:, :, None] * _edges_to_shares(x - column, halo)[:, None, :]
    )
    charge *= adu[:, None, None]
    near = slice(REACH - 1, REACH + 2)
    energy = charge[:, near, near].sum(axis=(1, 2))
    steps = np.arange(-REACH, REACH + 1)
    rows = np.broadcast_to((row[:, None] + steps)[:, :, None], charge.shape)
    columns = np.broadcast_to((column[:, None] + steps)[:, None, :], charge.shape)
    inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
    return Truth(y, x, energy), rows[inside] * nx + columns[inside], charge[inside]


def _add(
    image: NDArray[np.uint16],
    rng: np.random.Generator,
    count: int,
    hot_pixels: int,
) -> Truth:
    """Add photons and hot pixels to an image of noise, in place."""
    truth, index, charge = draw_clouds(rng, (image.shape[0], image.shape[1]), count)
    hot = rng.integers(0, image.size, hot_pixels)
    index = np.concatenate([index, hot])
    charge = np.concatenate([charge, rng.uniform(*HOT_ADU, hot_pixels)])
    pixels, where = np.unique(index, return_inverse=True)
    total = np.bincount(where, weights=charge, minlength=len(pixels))
    flat = image.reshape(-1)
    flat[pixels] = np.clip(np.rint(flat[pixels] + total), 0, 65535).astype(np.uint16)
    return replace(truth, hot_pixels=np.stack(np.divmod(hot, image.shape[1]), axis=1))


def _noise(
    rng: np.random.Generator, shape: tuple[int, int], noise: float, background: float
) -> NDArray[np.uint16]:
    values = rng.standard_normal(shape, dtype=np.float32)
    values *= np.float32(noise)
    values += np.float32(background)
    np.rint(values, out=values)
    np.clip(values, 0, 65535, out=values)
    return values.astype(np.uint16)


def balor_frame(
    rng: np.random.Generator,
    shape: tuple[int, int] = BALOR_SHAPE,
    photons_per_pixel: float | None = None,
    *,
    count: int | None = None,
    noise: float = 3.0,
    hot_pixels: int = 200,
    background: float = 100.0,
) -> tuple[NDArray[np.uint16], Truth]:
    """Simulate one frame with independent noise in each pixel.

    Args:
        rng: source of all randomness; the same seed gives the same frame.
        shape: ``(ny, nx)`` of the image [pixel], at least 5×5.
        photons_per_pixel: mean number of photons per pixel; their number is drawn from Poisson's
            distribution. Give this or `count`.
        count: exact number of photons.
        noise: standard deviation of the readout noise [ADU].
        hot_pixels: single pixels with 150 … 3000 ADU too much.
        background: dark level [ADU raw].

    Returns:
        The image ``shape uint16`` [ADU raw] and the truth. A full frame takes about 0.3 s.

    Raises:
        ValueError: neither or both of `photons_per_pixel` and `count` were given.
    """
    image = _noise(rng, shape, noise, background)
    number = _number_of_photons(rng, shape, photons_per_pixel, count)
    return image, _add(image, rng, number, hot_pixels)


def _number_of_photons(
    rng: np.random.Generator,
    shape: tuple[int, int],
    photons_per_pixel: float | None,
    count: int | None,
) -> int:
    if (photons_per_pixel is None) == (count is None):
        raise ValueError(
            f"photons_per_pixel = {photons_per_pixel}, count = {count}: give exactly one of them."
        )
    if count is not None:
        return count
    assert photons_per_pixel is not None
    return int(rng.poisson(photons_per_pixel * shape[0] * shape[1]))


def stream_balor_frames(
    rng: np.random.Generator,
    shape: tuple[int, int] = BALOR_SHAPE,
    photons_per_pixel: float | None = None,
    *,
    count: int | None = None,
    noise: float = 3.0,
    hot_pixels: int = 200,
    background: float = 100.0,
    strengths: Iterable[float] | None = None,
) -> Iterator[tuple[NDArray[np.uint16], Truth]]:
    """Simulate frames without end, fast enough to feed a pipeline.

    The noise comes from one pool that each frame reads from another place, so that a frame costs a
    copy and its photons instead of as many random numbers as it has pixels.

    Args:
        rng: source of all randomness.
        shape: ``(ny, nx)`` of the images [pixel], at least 5×5.
        photons_per_pixel: as in `balor_frame`.
        count: as in `balor_frame`.
        noise: as in `balor_frame`.
        hot_pixels: as in `balor_frame`.
        background: as in `balor_frame`.
        strengths: of each shot, a factor on `photons_per_pixel`; None: 1, without end.

    Yields:
        A new image ``shape uint16`` [ADU raw] and its truth.

    Raises:
        ValueError: as `balor_frame`.
    """
    _number_of_photons(rng, shape, photons_per_pixel, count)
    pool = _noise(rng, (shape[0] + _POOL_ROWS, shape[1]), noise, background).reshape(-1)
    size = shape[0] * shape[1]
    for strength in strengths or repeat(1.0):
        start = int(rng.integers(0, pool.size - size + 1))
        image = pool[start : start + size].reshape(shape).copy()
        density = None if photons_per_pixel is None else photons_per_pixel * strength
        number = _number_of_photons(rng, shape, density, count)
        yield image, _add(image, rng, number, hot_pixels)
