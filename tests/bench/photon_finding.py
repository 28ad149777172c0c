"""Photon finding on full frames, beside one pass over the pixels, scipy and a plain loop."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve, maximum_filter

from pipeline.frames.levels import rounded_level, subtracted
from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.detection import find_photons_with
from pipeline.protocols.batch import PhotonList
from pipeline.simulation.balor import BALOR_SHAPE, balor_frame

RATIO_LIMITS = {1e-6: 1.5, 1e-5: 1.5, 1e-4: 2.0, 1e-3: 5.0, 1e-2: math.inf}
"""Photons per pixel, and how many times as long as one pass of ``numpy.max`` it may take."""
_SLOW = 1e-3
"""From so many photons per pixel on, the plain loop and scipy are run once."""
SPEEDUP_LIMITS = {1e-3: 50.0}
"""How many times as fast as the plain loop it must be, where that is mostly a loop.

On sparser frames the plain loop's time is numpy's whole-frame arithmetic (subtract, compare, list):
there even one pass of ``numpy.max`` is no more than about fifty times as fast.
"""


@dataclass(frozen=True)
class PhotonRow:
    """One density."""

    photons_per_pixel: float
    photons: int
    max_ms: float
    """One pass of ``numpy.max``."""
    find_ms: float
    level_ms: float
    """With a dark level of each pixel."""
    scipy_ms: float
    """The same photons with scipy's filters."""
    loop_ms: float
    ratio_limit: float
    speedup_limit: float
    """0: none."""
    ratios: Sequence[float] = ()
    """Of each round: how many times as long as the pass of ``numpy.max`` beside it."""
    level_ratios: Sequence[float] = ()
    """The same with a dark level."""

    @property
    def ratio(self) -> float:
        """How many times as long as one pass of ``numpy.max``."""
        return self.find_ms / self.max_ms

    @property
    def speedup(self) -> float:
        """How many times as fast as the plain loop."""
        return self.loop_ms / self.find_ms

    @property
    def reached(self) -> bool:
        """True when the limits hold."""
        return self.ratio <= self.ratio_limit and self.speedup >= self.speedup_limit


def plain_loop(image: NDArray[Any], settings: Settings) -> NDArray[np.float64]:
    """Find photons in the obvious way: climb from each candidate pixel to the hottest near it.

    Args:
        image: ``(ny, nx)`` [ADU raw].
        settings: thresholds; the whole image is searched.

    Returns:
        ``(n, 3)`` y, x and energy, in reading order of the hottest pixels.
    """
    signal = image.astype(np.float64) - settings.background
    ny, nx = signal.shape
    tops: set[tuple[int, int]] = set()
    for y, x in np.argwhere(signal > settings.photon_threshold):
        while 0 < y < ny - 1 and 0 < x < nx - 1:
            step = int(np.argmax(signal[y - 1 : y + 2, x - 1 : x + 2]))
            if step == 4:
                tops.add((int(y), int(x)))
                break
            y, x = y + step // 3 - 1, x + step % 3 - 1
    photons = []
    offsets = np.array([-1, 0, 1])
    for y, x in sorted(tops):
        window = signal[y - 1 : y + 2, x - 1 : x + 2]
        energy = window.sum()
        is_hot_pixel = signal[y, x] / energy > settings.hot_pixel_ratio
        if energy > settings.energy_threshold and not is_hot_pixel:
            at_y = y + (window.sum(axis=1) * offsets).sum() / energy
            at_x = x + (window.sum(axis=0) * offsets).sum() / energy
            photons.append((at_y, at_x, energy))
    return np.array(photons, np.float64).reshape(-1, 3)


def with_scipy(image: NDArray[Any], settings: Settings) -> NDArray[np.float64]:
    """Find photons with filters of the whole frame.

    Args:
        image: ``(ny, nx)`` [ADU raw].
        settings: thresholds; the whole image is searched.

    Returns:
        As `plain_loop`.
    """
    signal = image.astype(np.float32) - np.float32(settings.background)
    top = (signal == maximum_filter(signal, 3)) & (signal > settings.photon_threshold)
    ones, across = np.ones((3, 3), np.float32), np.outer([1, 1, 1], [1, 0, -1]).astype(np.float32)
    energies = convolve(signal, ones)
    along_x, along_y = convolve(signal, across), convolve(signal, across.T)
    y, x = np.nonzero(top[1:-1, 1:-1])
    y, x = y + 1, x + 1
    # Of equal neighbours the first one is the hit.
    for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1)):
        first = signal[y, x] > signal[y + dy, x + dx]
        y, x = y[first], x[first]
    energy = energies[y, x].astype(np.float64)
    is_photon = energy > settings.energy_threshold
    is_photon &= signal[y, x] / np.where(energy > 0, energy, 1) <= settings.hot_pixel_ratio
    y, x, energy = y[is_photon], x[is_photon], energy[is_photon]
    return np.stack([y + along_y[y, x] / energy, x + along_x[y, x] / energy, energy], axis=1)


def photon_rows(
    densities: Sequence[float] = tuple(RATIO_LIMITS),
    *,
    shape: tuple[int, int] = BALOR_SHAPE,
    rounds: int = 21,
    seed: int = 1,
) -> list[PhotonRow]:
    """Measure photon finding with the default settings, and check what it finds.

    What is compared runs alternately in one thread; its processor time is taken, and of that the
    median, so that other work on the machine falls on all alike.

    Args:
        densities: photons per pixel, out of `RATIO_LIMITS`.
        shape: ``(ny, nx)`` of the frames [pixel].
        rounds: how often each is run; the plain loop and scipy only once in seven, or once where
            photons are many.
        seed: of the simulated frames.

    Returns:
        A row for each density.

    Raises:
        AssertionError: the kernel's photons are not those of the plain loop and of scipy; or with
            a dark level not those of the difference.
    """
    settings = Settings(max_hit_density=1.0)
    whole = Roi(0, 0, shape[1], shape[0])
    rows = []
    for density in densities:
        random = np.random.default_rng(seed)
        image, _ = balor_frame(random, shape, density)
        level = rounded_level(random.normal(settings.background, 0.5, shape))
        slow = {"scipy": partial(with_scipy, image, settings)}
        slow["loop"] = partial(plain_loop, image, settings)
        work: dict[str, Callable[[], Any]] = {
            "max": image.max,
            "find": partial(find_photons_with, settings, image, whole),
            "level": partial(find_photons_with, settings, image, whole, level),
        }
        found = work["find"]().photons
        _check_level(work["level"]().photons, settings, image, level)
        times: dict[str, list[float]] = {name: [] for name in (*work, *slow)}
        for number in range(rounds):
            for name, one in work.items():
                times[name].append(_milliseconds(one))
            if number == 0 or (number % 7 == 0 and density < _SLOW):
                for name, one in slow.items():
                    begin = time.thread_time()
                    expected = one()
                    times[name].append((time.thread_time() - begin) * 1e3)
                    _check(found, expected, name)
        rows.append(
            PhotonRow(
                photons_per_pixel=density,
                photons=len(found),
                max_ms=median(times["max"]),
                find_ms=median(times["find"]),
                level_ms=median(times["level"]),
                scipy_ms=median(times["scipy"]),
                loop_ms=median(times["loop"]),
                ratio_limit=RATIO_LIMITS[density],
                speedup_limit=SPEEDUP_LIMITS.get(density, 0.0),
                ratios=[a / b for a, b in zip(times["find"], times["max"], strict=True)],
                level_ratios=[a / b for a, b in zip(times["level"], times["max"], strict=True)],
            )
        )
    return rows


def _check_level(
    found: PhotonList, settings: Settings, image: NDArray[Any], level: NDArray[np.float32]
) -> None:
    ny, nx = image.shape
    above = subtracted(image, level)
    expected = find_photons_with(replace(settings, background=0.0), above, Roi(0, 0, nx, ny))
    for column in ("y", "x", "energy", "flags"):
        if not np.array_equal(getattr(found, column), getattr(expected.photons, column)):
            raise AssertionError(f"{column} is another one when the level is subtracted before")


def _check(found: PhotonList, expected: NDArray[np.float64], by: str) -> None:
    columns = np.stack([found.y, found.x, found.energy], axis=1)
    if columns.shape != expected.shape or not np.allclose(columns, expected, rtol=0, atol=1e-3):
        raise AssertionError(
            f"the kernel found {len(columns)} photons, {by} {len(expected)} others"
        )


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return (time.thread_time() - begin) * 1e3
