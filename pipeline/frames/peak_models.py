"""Models of a curve: peaks that are 1 at their centre, and a step; and where a fit may begin.

Their parameters are centre, ln fwhm, height, offset, and further ones.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FWHM = 2 * math.sqrt(2 * math.log(2))
"""Full width at half maximum of a Gaussian of σ = 1."""
_STARTS = (0.5, 1.0, 2.0)
"""Widths that are tried, over the one that the points show."""

Curve = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Shape:
    """A model: centre, ln fwhm, height, offset, and further parameters."""

    curve: Curve
    parameters: int
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    start: tuple[float, ...] = ()
    """Limits and start of the further ones."""


def gaussian(x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``offset + height * exp(-4 ln 2 u²)`` with ``u = (x - centre) / fwhm``."""
    u = (x - p[0]) / math.exp(p[1])
    return p[3] + p[2] * np.exp(-4 * math.log(2) * u * u)


def lorentzian(x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``offset + height / (1 + 4 u²)``."""
    u = (x - p[0]) / math.exp(p[1])
    return p[3] + p[2] / (1 + 4 * u * u)


def pseudo_voigt(x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mixture, with the share p[4] of the Lorentzian, of both at one fwhm."""
    u = (x - p[0]) / math.exp(p[1])
    bell = np.exp(-4 * math.log(2) * u * u)
    return p[3] + p[2] * (p[4] / (1 + 4 * u * u) + (1 - p[4]) * bell)


def step(x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``offset + height * Φ``, whose derivative is a Gaussian of that centre and fwhm."""
    from scipy.special import ndtr  # here, because devices start without a fit

    return p[3] + p[2] * ndtr((x - p[0]) / math.exp(p[1]) * _FWHM)


SHAPES: dict[str, Shape] = {
    "gaussian": Shape(gaussian, 4),
    "lorentzian": Shape(lorentzian, 4),
    "pseudo-voigt": Shape(pseudo_voigt, 5, (0.0,), (1.0,), (0.3,)),
    "step": Shape(step, 4),
}


def smooth_line(
    model: str,
    fitted: tuple[float, float, float, float],
    x: NDArray[np.float64],
    curve: NDArray[np.float64],
    points: int = 200,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a fitted model at evenly spaced positions between the first and the last point.

    Args:
        model: one of `SHAPES`.
        fitted: centre, fwhm, height and offset.
        x: ``(point,)`` axis of the curve that was fitted.
        curve: ``(point,)`` the model there; it tells the share of the Lorentzian.
        points: how many to return.

    Returns:
        Positions and values, each ``(points,)``.
    """
    centre, fwhm, height, offset = fitted
    shape = SHAPES[model]
    parameters = np.array([centre, math.log(fwhm), height, offset, *shape.start])
    if shape.curve is pseudo_voigt:
        use = np.isfinite(x) & np.isfinite(curve)
        bell = gaussian(x[use], parameters)
        difference = lorentzian(x[use], parameters) - bell
        weight = float(difference @ difference)
        if weight > 0:
            parameters[4] = float((curve[use] - bell) @ difference) / weight
    positions = np.linspace(np.nanmin(x), np.nanmax(x), points)
    return positions, shape.curve(positions, parameters)


def start_values(x: NDArray[np.float64], y: NDArray[np.float64], shape: Shape) -> list[list[float]]:
    """Guess the parameters of a model from the points.

    Args:
        x: ``(point,)`` axis, ascending from 0 to 1.
        y: ``(point,)`` values.
        shape: of the model.

    Returns:
        Some guesses, each of which is worth a fit.
    """
    spacing = 1 / max(len(np.unique(x)) - 1, 1)
    if shape.curve is step:
        edge = max(len(y) // 5, 1)
        low, high = float(np.median(y[:edge])), float(np.median(y[-edge:]))
        crossed = np.abs(y - (low + high) / 2)
        guesses = [(float(x[np.argmin(crossed)]), high - low, low)]
        steepest = int(np.argmax(np.abs(np.diff(y))))
        guesses.append((float(x[steepest : steepest + 2].mean()), high - low, low))
        widths = (spacing, 0.2, 0.5)
    else:
        smooth = np.convolve(np.pad(y, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
        guesses = []
        for sign in (1, -1):
            turned = sign * smooth
            offset = float(np.quantile(turned, 0.2))
            top = int(np.argmax(turned))
            height = float(turned[top]) - offset
            guesses.append((float(x[top]), sign * height, sign * offset))
        above = np.abs(smooth - guesses[0][2]) > abs(guesses[0][1]) / 2
        width = max(float(np.count_nonzero(above)) * spacing, spacing)
        widths = tuple(width * factor for factor in _STARTS)
    return [
        [centre, math.log(width), height, offset, *shape.start]
        for centre, height, offset in guesses
        for width in widths
    ]
