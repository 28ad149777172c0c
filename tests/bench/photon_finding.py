"""Photon finding on full frames, beside one pass over the pixels and beside a plain Python loop."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.detection import find_photons_with
from pipeline.protocols.batch import PhotonList
from pipeline.simulation.balor import BALOR_SHAPE, balor_frame

RATIO_LIMITS = {1e-6: 2.0, 1e-5: 2.0, 1e-4: 3.0, 1e-3: 8.0}
"""Photons per pixel, and how many times as long as one pass of ``numpy.max`` it may take."""
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
    loop_ms: float
    ratio_limit: float
    speedup_limit: float
    """0: none."""

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
        rounds: how often each is run; the plain loop only once in seven.
        seed: of the simulated frames.

    Returns:
        A row for each density.

    Raises:
        AssertionError: the kernel's photons are not those of the plain loop.
    """
    settings = Settings()
    rows = []
    for density in densities:
        image, _ = balor_frame(np.random.default_rng(seed), shape, density)
        find = partial(find_photons_with, settings, image, Roi(0, 0, shape[1], shape[0]))
        loop = partial(plain_loop, image, settings)
        found = find().photons
        _check(found, loop())
        times: dict[str, list[float]] = {"max": [], "find": [], "loop": []}
        for number in range(rounds):
            times["max"].append(_milliseconds(image.max))
            times["find"].append(_milliseconds(find))
            if number % 7 == 0:
                times["loop"].append(_milliseconds(loop))
        rows.append(
            PhotonRow(
                photons_per_pixel=density,
                photons=len(found),
                max_ms=median(times["max"]),
                find_ms=median(times["find"]),
                loop_ms=median(times["loop"]),
                ratio_limit=RATIO_LIMITS[density],
                speedup_limit=SPEEDUP_LIMITS.get(density, 0.0),
            )
        )
    return rows


def _check(found: PhotonList, expected: NDArray[np.float64]) -> None:
    columns = np.stack([found.y, found.x, found.energy], axis=1)
    if columns.shape != expected.shape or not np.allclose(columns, expected, rtol=0, atol=1e-3):
        raise AssertionError(
            f"the kernel found {len(columns)} photons, the plain loop {len(expected)} others"
        )


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return (time.thread_time() - begin) * 1e3
