"""Eta correction: where in its pixel a photon was, from what the list of all photons looks like.

Photons hit a pixel anywhere with the same probability. A centre of gravity does not come out like
that: it keeps to the middle, or to the edges, of the pixel. Its place u within the pixel, -½ … ½,
grows with the true place; so the true place is where as many photons are to the left of it as
centres are to the left of u: ``F(u) - ½``, with the distribution function F of the photons' own
centres (Belau et al., Nucl. Instrum. Methods 214, 1983, 253, for strips; here along each axis).

It needs light that is even over one pixel, which any pattern larger than some pixels gives, and one
kind of photons. Photons with a flag are not learned from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_PHOTONS = 2000
_KNOTS = 200
"""Points of the distribution function at most; each has 20 photons at least."""


@dataclass(frozen=True)
class EtaAxis:
    """The distribution function of places within a pixel, along one axis."""

    place: NDArray[np.float64]
    """``(knot,)`` from -½ to ½ [pixel]."""
    share: NDArray[np.float64]
    """``(knot,)`` of the photons whose place is lower, from 0 to 1."""

    def corrected(self, position: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the corrected positions, each in the same pixel as before [pixel]."""
        pixel, place = split_position(position)
        return pixel + np.interp(place, self.place, self.share) - 0.5


@dataclass(frozen=True)
class EtaCorrection:
    """The correction of both axes."""

    y: EtaAxis
    x: EtaAxis


@dataclass(frozen=True)
class Flatness:
    """How even the places within the pixel are."""

    counts: NDArray[np.int64]
    """``(bin,)`` photons from -½ to ½."""

    @property
    def chi_square(self) -> float:
        """χ² per degree of freedom against a flat distribution; 1: as even as chance allows."""
        expected = self.counts.mean()
        square = np.square(self.counts - expected).sum() / max(expected, 1e-300)
        return float(square) / (len(self.counts) - 1)


def split_position(
    position: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pixel, and the place within it from -½ to ½."""
    exact = np.asarray(position, np.float64)
    pixel = np.floor(exact + 0.5)
    return pixel, exact - pixel


def flatness(position: NDArray[np.floating], bins: int = 50) -> Flatness:
    """Count the places within the pixel.

    Args:
        position: ``(photon,)`` along one axis [pixel].
        bins: of the pixel.
    """
    return Flatness(np.histogram(split_position(position)[1], bins, (-0.5, 0.5))[0])


def learn_axis(position: NDArray[np.floating], fewest: int = FEWEST_PHOTONS) -> EtaAxis:
    """Learn the correction along one axis.

    Args:
        position: ``(photon,)`` centres of gravity of isolated photons [pixel].
        fewest: photons that are needed.

    Raises:
        ValueError: there are less.
    """
    place = np.sort(split_position(np.asarray(position)[np.isfinite(position)])[1])
    if len(place) < fewest:
        raise ValueError(
            f"{len(place)} photons are too few to learn the eta correction; "
            f"{fewest} without a flag are needed."
        )
    knots = min(_KNOTS, len(place) // 20)
    at = np.linspace(0, len(place), knots + 1)[1:-1].astype(np.int64)
    # Half-way between neighbours; many photons at one place are one knot.
    places, first = np.unique((place[at - 1] + place[at]) / 2, return_index=True)
    inner = at[first] / len(place)
    return EtaAxis(np.r_[-0.5, places, 0.5], np.r_[0.0, inner, 1.0])


def learn_eta(
    y: NDArray[np.floating], x: NDArray[np.floating], flags: NDArray[np.uint8] | None = None
) -> EtaCorrection:
    """Learn the correction from the photons of a list.

    Args:
        y: ``(photon,)`` centres of gravity [pixel].
        x: ``(photon,)``.
        flags: ``(photon,)`` of the list; only photons without one are learned from.

    Raises:
        ValueError: too few are left.
    """
    use = np.ones(len(y), bool) if flags is None else np.asarray(flags) == 0
    return EtaCorrection(learn_axis(np.asarray(y)[use]), learn_axis(np.asarray(x)[use]))
