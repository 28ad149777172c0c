"""Photon finding as it is defined, pixel by pixel: slow, obvious, what the kernel must equal."""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.model.roi import Roi

EARLIER = ((-1, -1), (-1, 0), (-1, 1), (0, -1))
LATER = ((0, 1), (1, -1), (1, 0), (1, 1))
WINDOW = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))


def reference_photons(
    image: NDArray,
    *,
    background: float,
    photon_threshold: float,
    energy_threshold: float,
    pileup_threshold: float,
    hot_pixel_ratio: float,
    roi: Roi,
) -> tuple[list[tuple[float, float, float, int]], float]:
    """Return ``(y, x, energy, flags)`` of each photon, and the pixels above threshold per pixel."""
    ny, nx = image.shape

    def signal(y: int, x: int) -> float:
        return float(image[y, x]) - background

    pixels = [
        (y, x)
        for y in range(max(roi.y, 0), min(roi.y + roi.height, ny))
        for x in range(max(roi.x, 0), min(roi.x + roi.width, nx))
    ]
    if not pixels:
        return [], math.nan
    above = [(y, x) for y, x in pixels if signal(y, x) > photon_threshold]
    photons = []
    hottest = []
    for y, x in above:
        if y in (0, ny - 1) or x in (0, nx - 1):
            continue
        centre = signal(y, x)
        if not all(centre > signal(y + dy, x + dx) for dy, dx in EARLIER):
            continue
        if not all(centre >= signal(y + dy, x + dx) for dy, dx in LATER):
            continue
        window = {(dy, dx): signal(y + dy, x + dx) for dy, dx in WINDOW}
        energy = sum(window.values())
        if not energy > energy_threshold or not math.isfinite(energy):
            continue
        if hot_pixel_ratio < 1 and centre / energy > hot_pixel_ratio:
            continue
        centre_y = y + sum(dy * s for (dy, _), s in window.items()) / energy
        centre_x = x + sum(dx * s for (_, dx), s in window.items()) / energy
        photons.append((centre_y, centre_x, energy))
        hottest.append((y, x))
    (top, left), (bottom, right) = pixels[0], pixels[-1]
    flagged = []
    for (y, x), photon in zip(hottest, photons, strict=True):
        near = [1 for v, u in hottest if abs(v - y) <= 2 and abs(u - x) <= 2]
        flags = (len(near) > 1) + 2 * (photon[2] > pileup_threshold)
        flags += 4 * (min(y - top, bottom - y, x - left, right - x) <= 1)
        flagged.append((*photon, int(flags)))
    return flagged, len(above) / len(pixels)


def as_arrays(photons: list[tuple[float, float, float, int]]) -> NDArray[np.float64]:
    """Return the photons as ``(n, 4) float64``."""
    return np.array(photons, np.float64).reshape(-1, 4)
