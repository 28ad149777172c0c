"""Azimuthal integration of an image: mean intensity over q, with standard errors.

The result is that of pyFAI without pixel splitting (`tests` compare the two): a pixel counts in
the bin of its centre, so that the bins are independent and Poisson errors are exact. The sums are
done here, because pyFAI's tables for such sums take 0.2 s to set up for a Pilatus and seconds
for a Balor, and several hundred megabytes; these take 12 ms and 0.25 s, so that the curve follows
a geometry that is being adjusted. A mask may change with every image: it belongs to no table.

Each pixel counts with its solid angle, with the share of the light of its direction that a
polarised beam scatters there, and with the share of the frames that saw it (pyFAI's
*normalization*). The polarisation is that of Kahn et al., J. Appl. Cryst. 15, 1982, 330, as pyFAI
takes it, with the azimuth χ from the horizontal:
``(1 + cos² 2θ - factor cos 2χ sin² 2θ) / 2``.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.diffraction.azimuthal_curve import AzimuthalCurve
from pipeline.diffraction.geometry import Geometry
from pipeline.model.cameras import Unit
from pipeline.model.roi import Roi

Curve = NDArray[np.float64]


_EMPTY = AzimuthalCurve(np.empty(0), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class _Table:
    """What depends on the geometry alone."""

    key: tuple[object, ...]
    q: Curve
    bin_of_pixel: NDArray[np.int32]
    weight: NDArray[np.float32]
    """Solid angle and polarisation."""
    first: tuple[int, int]
    """Pixel ``(y, x)`` of the image at which the table starts."""


def share_of(frames_seen: NDArray[np.integer] | None, frames: int) -> NDArray[np.float32] | None:
    """Return the share of frames that saw each pixel.

    Args:
        frames_seen: ``(ny, nx)`` how many did; None: all did.
        frames: there are.
    """
    return None if frames_seen is None else (frames_seen / max(frames, 1)).astype(np.float32)


class Integrator:
    """Integrates images; keeps the table of the last geometry, number of bins and region."""

    def __init__(self) -> None:
        self._table: _Table | None = None

    def integrate(
        self,
        image: NDArray[np.generic],
        geometry: Geometry,
        bins: int,
        unit: str,
        region: Roi | None = None,
        polarization: float | None = None,
        share_seen: NDArray[np.float32] | None = None,
    ) -> AzimuthalCurve:
        """Integrate one image, corrected for the solid angle of the pixels.

        Counts have Poisson errors: the square root of a bin's counts. Other units have those of
        pyFAI's azimuthal error model: the scatter of the pixels of a bin around their mean, which
        needs two of them.

        Args:
            image: ``(ny, nx)``, any numeric dtype; pixels that are not finite are masked.
            geometry: of this image, so with its shape.
            bins: number of bins between the smallest and the largest q; 0: an empty curve.
            unit: of the image, see `Unit`.
            region: pixels outside of it are excluded; None: all belong to it. The bins cover
                what is inside.
            polarization: factor of the beam, 1 horizontal to -1 vertical; None: no correction.
            share_seen: ``(ny, nx)`` share of the image's frames that saw a pixel; None: all did.

        Returns:
            The curve; empty when the region lies outside of the image.

        Raises:
            ValueError: the geometry belongs to an image of another shape.
        """
        if image.shape != geometry.shape:
            raise ValueError(
                f"image of {image.shape} pixels with a geometry of {geometry.shape}: build the "
                "geometry from the image's shape."
            )
        full = Roi(0, 0, geometry.shape[1], geometry.shape[0])
        slices = (region or full).slices(geometry.shape)
        if bins < 1 or slices is None:
            return _EMPTY
        table = self._table_for(geometry, bins, slices, polarization)
        weights = table.weight
        if share_seen is not None:
            weights = weights * share_seen[slices]
        signal, weight, count = _sums(image, *table.first, table.bin_of_pixel, weights, bins)
        some = count > 0
        mean = np.full(bins, np.nan)
        np.divide(signal, weight, out=mean, where=some)
        if unit == Unit.COUNTS:
            variance, enough = signal, some
        else:
            variance = _scatter(image, *table.first, table.bin_of_pixel, weights, mean)
            enough = count > 1
        errors = np.full(bins, np.nan)
        np.divide(np.sqrt(np.maximum(variance, 0.0)), weight, out=errors, where=enough)
        return AzimuthalCurve(table.q, mean, errors)

    def _table_for(
        self,
        geometry: Geometry,
        bins: int,
        slices: tuple[slice, slice],
        polarization: float | None,
    ) -> _Table:
        first = (slices[0].start, slices[1].start)
        key = (geometry, bins, first, slices[0].stop, slices[1].stop, polarization)
        if self._table is None or self._table.key != key:
            self._table = None  # two tables at a time are twice the memory
            plane = geometry.cut(*slices).plane
            lowest, highest, bin_of_pixel, weight = _set_up(
                plane.origin,
                plane.step_y,
                plane.step_x,
                plane.shape,
                geometry.wave_number,
                geometry.poni.distance,
                bins,
                polarization is not None,
                polarization or 0.0,
                geometry.poni.rot3,
            )
            step = (highest - lowest) / bins
            q = lowest + step * (np.arange(bins, dtype=np.float64) + 0.5)
            self._table = _Table(key, q, bin_of_pixel, weight, first)
        return self._table


def warm_up() -> None:
    """Compile the kernels for an image of floats, so that the first curve need not wait."""
    geometry = Geometry(10.0, 0.1, 0.0, 0.0, 0.0, 0.0, (1e-4, 1e-4), (2, 2))
    Integrator().integrate(np.zeros(geometry.shape), geometry, 2, Unit.TOT, polarization=1.0)


@njit(nogil=True, cache=True)
def _q_and_length(
    origin: Curve, step_y: Curve, step_x: Curve, y: int, x: int, wave_number: float
) -> tuple[float, float]:
    along_y = origin[0] + y * step_y[0] + x * step_x[0]
    along_x = origin[1] + y * step_y[1] + x * step_x[1]
    beam = origin[2] + y * step_y[2] + x * step_x[2]
    across = along_y * along_y + along_x * along_x
    length = math.sqrt(across + beam * beam)
    # As in Geometry.q_at.
    beside = across / (length + beam) if beam > 0 else length - beam
    return wave_number * math.sqrt(beside / (2 * length)), length


@njit(nogil=True, cache=True)
def _set_up(
    origin: Curve,
    step_y: Curve,
    step_x: Curve,
    shape: tuple[int, int],
    wave_number: float,
    distance: float,
    bins: int,
    polarized: bool,
    factor: float,
    turn: float,
) -> tuple[float, float, NDArray[np.int32], NDArray[np.float32]]:
    """Return q range, bin of each pixel, and weight relative to normal incidence."""
    lowest, highest = math.inf, 0.0
    for y in range(shape[0]):
        for x in range(shape[1]):
            q, _ = _q_and_length(origin, step_y, step_x, y, x, wave_number)
            lowest, highest = min(lowest, q), max(highest, q)
    scale = bins / (highest - lowest) if highest > lowest else 0.0
    bin_of_pixel = np.empty(shape, np.int32)
    weight = np.empty(shape, np.float32)
    for y in range(shape[0]):
        for x in range(shape[1]):
            q, length = _q_and_length(origin, step_y, step_x, y, x, wave_number)
            bin_of_pixel[y, x] = min(int((q - lowest) * scale), bins - 1)
            solid_angle = (distance / length) ** 3
            if polarized:
                solid_angle *= _polarization(origin, step_y, step_x, y, x, factor, turn)
            weight[y, x] = solid_angle
    return lowest, highest, bin_of_pixel, weight


@njit(nogil=True, cache=True)
def _polarization(
    origin: Curve, step_y: Curve, step_x: Curve, y: int, x: int, factor: float, turn: float
) -> float:
    first = origin[0] + y * step_y[0] + x * step_x[0]
    second = origin[1] + y * step_y[1] + x * step_x[1]
    beam = origin[2] + y * step_y[2] + x * step_x[2]
    # The plane leaves out the turn about the beam, which changes no q.
    along_y = math.cos(turn) * first - math.sin(turn) * second
    along_x = math.sin(turn) * first + math.cos(turn) * second
    # sin² 2θ cos 2χ is the difference of the squared directions: no angle is needed.
    square = along_y * along_y + along_x * along_x + beam * beam
    across = (along_x * along_x - along_y * along_y) / square
    return 0.5 * (1 + beam * beam / square - factor * across)


@njit(nogil=True, cache=True)
def _sums(
    image: NDArray[np.generic],
    first_y: int,
    first_x: int,
    bin_of_pixel: NDArray[np.int32],
    weights: NDArray[np.float32],
    bins: int,
) -> tuple[Curve, Curve, NDArray[np.int64]]:
    """Return, per bin, the sum of the valid pixels, that of their weights, their number."""
    signal, weight = np.zeros(bins), np.zeros(bins)
    count = np.zeros(bins, np.int64)
    for y in range(bin_of_pixel.shape[0]):
        for x in range(bin_of_pixel.shape[1]):
            value = float(image[first_y + y, first_x + x])
            if math.isfinite(value):
                i = bin_of_pixel[y, x]
                signal[i] += value
                weight[i] += weights[y, x]
                count[i] += 1
    return signal, weight, count


@njit(nogil=True, cache=True)
def _scatter(
    image: NDArray[np.generic],
    first_y: int,
    first_x: int,
    bin_of_pixel: NDArray[np.int32],
    weights: NDArray[np.float32],
    mean: Curve,
) -> Curve:
    """Return, per bin, the sum of (pixel - weight * mean)²: pyFAI's azimuthal variance."""
    scatter = np.zeros(len(mean))
    for y in range(bin_of_pixel.shape[0]):
        for x in range(bin_of_pixel.shape[1]):
            value = float(image[first_y + y, first_x + x])
            if math.isfinite(value):
                i = bin_of_pixel[y, x]
                deviation = value - weights[y, x] * mean[i]
                scatter[i] += deviation * deviation
    return scatter
