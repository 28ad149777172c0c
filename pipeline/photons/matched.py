"""Photons close to the noise: the optimal linear filter, with the noise of each pixel.

A photon of energy E leaves ``E p_i`` in pixel i; p is the cloud, a Gaussian integrated over pixels.
With the offset o and noise σ of each pixel (`pipeline.photons.calibration`), the best estimate of E
at a given place is ``Σ p (s - o) / σ² / Σ p² / σ²``, and its signal-to-noise ratio is
``Σ p (s - o) / σ² / √(Σ p² / σ²)`` (Turin, IRE Trans. Inf. Theory 6, 1960, 311; in astronomy:
Zackay and Ofek, ApJ 836, 2017, 187). A noisy pixel weighs little instead of making photons.

1. The ratio of a cloud at the middle of each pixel; its local maxima are candidates. A photon
   between pixels shows there with less than its own ratio, so they are taken from a lower level on.
2. At each candidate energy, y and x are fitted, weighed with 1/σ². That gives errors, and the ratio
   at the best place.
3. Photons are those with a ratio above the threshold, which follows from the number of false ones
   that are accepted per frame (`pipeline.photons.cloud_shape`).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.read_only import read_only
from pipeline.model.matched import CLOUD_LIMITS
from pipeline.photons.calibration import Calibration
from pipeline.photons.cloud_shape import (
    DEFAULT_CLOUD,
    false_alarm_threshold,
    reach_of,
    seen_between,
    shares,
)
from pipeline.photons.matched_kernel import candidates, fit_clouds, norms
from pipeline.protocols.batch import AT_BORDER, OVERLAPS

_SAME = 1.0
"""Fits that end closer together are one photon [pixel]."""
_MARGIN = 0.97
"""Noise may hide a little more of a photon between pixels."""


@dataclass(frozen=True)
class MatchedPhotons:
    """Photons of one frame in reading order of their maxima; arrays of equal length."""

    y: NDArray[np.float32]
    x: NDArray[np.float32]
    energy: NDArray[np.float32]
    y_error: NDArray[np.float32]
    x_error: NDArray[np.float32]
    energy_error: NDArray[np.float32]
    snr: NDArray[np.float32]
    """Signal-to-noise ratio at the fitted place."""
    chi_square: NDArray[np.float32]
    """Of the fit, per degree of freedom: what is no cloud has a large one."""
    flags: NDArray[np.uint8]
    """Sum of `OVERLAPS` and `AT_BORDER`."""

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class MatchedFilter:
    """A filter for one camera and one shape of cloud."""

    calibration: Calibration
    cloud: float = DEFAULT_CLOUD
    """σ [pixel]."""
    false_per_frame: float = 1.0
    """Maxima of the noise that are accepted as photons, per frame."""

    def __post_init__(self) -> None:
        low, high = CLOUD_LIMITS
        if not low <= self.cloud <= high:
            raise ValueError(f"cloud {self.cloud} px: use a σ from {low} to {high} px.")
        if not 0 < self.false_per_frame < self.calibration.offset.size / 100:
            raise ValueError(
                f"false_per_frame {self.false_per_frame}: use a number above 0, and below 1 % of "
                "the pixels."
            )

    @cached_property
    def reach(self) -> int:
        """Pixels to each side in which the cloud is looked at."""
        return reach_of(self.cloud)

    @cached_property
    def threshold(self) -> float:
        """Signal-to-noise ratio above which a maximum is a photon."""
        used = int(np.count_nonzero(~self.calibration.bad))
        return false_alarm_threshold(self.cloud, used, self.false_per_frame)

    @cached_property
    def _taps(self) -> NDArray[np.float32]:
        return shares(0.0, self.cloud, self.reach).astype(np.float32)

    @cached_property
    def _weights(self) -> NDArray[np.float32]:
        return self.calibration.weights()

    @cached_property
    def _scale(self) -> NDArray[np.float32]:
        return norms(self._weights, self._taps)

    def find(self, image: NDArray) -> MatchedPhotons:
        """Find the photons of one frame.

        Args:
            image: ``(ny, nx)`` [ADU raw], of the shape of the calibration.

        Raises:
            ValueError: it has another shape.
        """
        return self.fit(image, self.candidates(image))

    def candidates(self, image: NDArray) -> NDArray[np.int64]:
        """Return the pixels of a frame at which a photon may be, ``(n,)``, in reading order.

        Args:
            image: as in `find`.

        Raises:
            ValueError: it has another shape.
        """
        if image.shape != self.calibration.shape:
            raise ValueError(
                f"frame of shape {image.shape}, calibration of shape {self.calibration.shape}: "
                "calibrate with dark frames of the same area of interest."
            )
        frame = as_frame(image)
        lowest = _MARGIN * self.threshold * seen_between(self.cloud)
        return candidates(
            frame, self.calibration.offset, self._weights, self._scale, self._taps, lowest
        )

    def fit(self, image: NDArray, pixels: NDArray[np.int64]) -> MatchedPhotons:
        """Fit a cloud at each candidate, and return those that are photons.

        Args:
            image: as in `find`.
            pixels: its candidates.
        """
        offset, weights = self.calibration.offset, self._weights
        frame = as_frame(image)
        table = fit_clouds(frame, offset, weights, pixels, self.cloud, self.reach)
        use = table[:, 6] >= self.threshold
        table, pixels = table[use], pixels[use]
        kept = _one_of_each(table)
        table, pixels = table[kept], pixels[kept]
        freedom = np.maximum(table[:, 8] - 3, 1)
        columns = [table[:, i].astype(np.float32) for i in range(7)]
        y, x, energy, y_error, x_error, energy_error, snr = columns
        return MatchedPhotons(
            y,
            x,
            energy,
            y_error,
            x_error,
            energy_error,
            snr,
            (table[:, 7] / freedom).astype(np.float32),
            _flags(pixels, self.calibration.shape, self.reach),
        )


def as_frame(image: NDArray) -> NDArray:
    """Return an image as kernels take it: C-contiguous, and read-only as frames of cameras are."""
    return read_only(np.ascontiguousarray(image))


def warm_up() -> None:
    """Compile the kernels for uint16 frames, so that the first of a scan need not wait."""
    dark, frame = np.zeros((20, 20), np.float32), np.zeros((20, 20), np.uint16)
    found_by = MatchedFilter(Calibration(dark, dark + 1, np.zeros(dark.shape, bool), 2))
    found_by.candidates(frame)
    found_by.fit(frame, np.array([210]))


def isolation(photons: MatchedPhotons) -> NDArray[np.float64]:
    """Return the distance of each photon to the next one [pixel]; infinite for a single one."""
    if len(photons) < 2:
        return np.full(len(photons), math.inf)
    places = np.stack([photons.y, photons.x], axis=1)
    return _tree(places).query(places, k=2)[0][:, 1]


def _tree(places: NDArray[Any]) -> Any:
    """Return a tree of places; workers that search without the matched filter start without it."""
    from scipy.spatial import KDTree

    return KDTree(places)


def _one_of_each(table: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows, in their order, without those that are the same photon as a stronger one."""
    if len(table) < 2:
        return np.arange(len(table))
    ratio = table[:, 6]
    pairs = _tree(table[:, :2]).query_pairs(_SAME, output_type="ndarray")
    keep = np.ones(len(table), bool)
    for first, second in pairs[np.argsort(-np.max(ratio[pairs], axis=1))]:
        if keep[first] and keep[second]:
            keep[second if ratio[first] >= ratio[second] else first] = False
    return np.flatnonzero(keep)


def _flags(pixels: NDArray[np.int64], shape: tuple[int, int], reach: int) -> NDArray[np.uint8]:
    flags = np.zeros(len(pixels), np.uint8)
    row, column = np.divmod(pixels, shape[1])
    edge_y = np.minimum(row, shape[0] - 1 - row)
    edge_x = np.minimum(column, shape[1] - 1 - column)
    flags[np.minimum(edge_y, edge_x) < reach] |= AT_BORDER
    if len(pixels) > 1:
        places = np.stack([row, column], axis=1)
        for pair in _tree(places).query_pairs(reach, p=math.inf, output_type="ndarray"):
            flags[pair] |= OVERLAPS
    return flags
