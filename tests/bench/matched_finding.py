"""Photons close to the noise on full Zyla frames, beside a copy of the frame."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np
from support.faint import faint_camera

from pipeline.photons.calibration import Calibration
from pipeline.photons.matched import MatchedFilter, as_frame

MAX_COPIES = 12.0
"""So many times as long as a copy of the frame it may take."""
_OFF = 0.05
"""So large a share of the photons may be missed, or be found besides."""


@dataclass(frozen=True)
class MatchedRow:
    """One density."""

    photons_per_pixel: float
    photons: int
    copy_ms: float
    find_ms: float
    rounds: Sequence[float]
    """How many times as long as the copy beside it each took."""

    @property
    def copies(self) -> float:
        """How many times as long as a copy of the frame."""
        return self.find_ms / self.copy_ms


def matched_row(
    photons_per_pixel: float = 1e-4, *, size: int = 2048, rounds: int = 21, seed: int = 1
) -> MatchedRow:
    """Measure both alternately in one thread, by processor time; the medians count.

    Args:
        photons_per_pixel: density.
        size: of the square frame [pixel].
        rounds: how often each is run.
        seed: of the simulated frame.
    """
    rng = np.random.default_rng(seed)
    camera = faint_camera(rng, size, 2.0)
    offset, noise = camera.offset.astype(np.float32), camera.noise.astype(np.float32)
    found_by = MatchedFilter(Calibration(offset, noise, np.zeros((size, size), bool), 200))
    y, x = camera.places(rng, photons_per_pixel)
    frame = as_frame(camera.frame(rng, y, x, 60.0))
    find = partial(found_by.find, frame)
    photons = len(find())
    # How many are found, and where, is measured by tests.support.matched_quality.
    assert abs(photons - len(y)) <= _OFF * len(y), f"{photons} photons were found of {len(y)}"
    times: dict[str, list[float]] = {"copy": [], "find": []}
    for _ in range(rounds):
        times["copy"].append(_milliseconds(frame.copy))
        times["find"].append(_milliseconds(find))
    ratios = [find / copy for find, copy in zip(times["find"], times["copy"], strict=True)]
    copy_ms, find_ms = median(times["copy"]), median(times["find"])
    return MatchedRow(photons_per_pixel, photons, copy_ms, find_ms, ratios)


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return (time.thread_time() - begin) * 1e3
