"""The points of a curve, with errors that can be relied on, in units of their range."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PRIOR = 8.0
"""The common variance counts as much as that of a step with so many degrees of freedom."""
NARROW, BROAD = 0.15, 0.3
"""Heights within which points have a variance in common; more where one point tells little."""


@dataclass(frozen=True)
class Points:
    """A curve in units in which its range is 0 … 1, sorted along x."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    error: NDArray[np.float64]
    """NaN: unknown."""
    freedom: NDArray[np.float64]
    """Degrees of freedom of each error."""
    x_zero: float
    x_unit: float
    y_zero: float
    y_unit: float

    @classmethod
    def of(
        cls,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        error: NDArray[np.float64],
        count: NDArray[np.float64],
    ) -> "Points":
        """Return the points of a curve.

        Args:
            x: ``(point,)`` in any order, not all the same.
            y: ``(point,)``, not all the same.
            error: ``(point,)`` standard errors; NaN or 0: unknown.
            count: ``(point,)`` frames in each.
        """
        order = np.argsort(x, kind="stable")
        x, y, error, count = x[order], y[order], error[order], count[order]
        x_unit, y_unit = float(np.ptp(x)), float(np.ptp(y))
        known = np.isfinite(error) & (error > 0)
        return cls(
            x=(x - x[0]) / x_unit,
            y=(y - y.min()) / y_unit,
            error=np.where(known, error / y_unit, math.nan),
            freedom=np.where(known & (count > 1), count - 1, 0.0),
            x_zero=float(x[0]),
            x_unit=x_unit,
            y_zero=float(y.min()),
            y_unit=y_unit,
        )

    @property
    def known(self) -> bool:
        """Tell whether any step has an error."""
        return bool((self.freedom > 0).any())

    def sigmas(self, height: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the error of each point; all 1 when none is known.

        Args:
            height: ``(point,)`` where each point is between the lowest (0) and highest (1).
        """
        if not self.known:
            return np.ones(len(self.x))
        seen = self.freedom > 0
        square = self.error[seen] ** 2
        # Of many frames an error is known well; of few, it counts as much as they say.
        weight = np.minimum(self.freedom[seen], 1e6)
        common = common_variance(height, height[seen], square, weight, NARROW)
        own = np.where(seen, self.error, 0.0) ** 2
        freedom = np.minimum(self.freedom, 1e6)
        # A few frames that agree to the last digit do not make a point exact.
        floor = 1e-6 * float(np.median(square))
        return np.sqrt(np.maximum((freedom * own + PRIOR * common) / (freedom + PRIOR), floor))


def common_variance(
    at: NDArray[np.float64],
    height: NDArray[np.float64],
    square: NDArray[np.float64],
    weight: NDArray[np.float64],
    reach: float,
) -> NDArray[np.float64]:
    """Smooth variances over the height of the points, each weighed by its degrees of freedom."""
    near = np.exp(-(((at[:, None] - height[None, :]) / reach) ** 2) / 2) + 1e-3
    near = near * np.minimum(weight, 1e3)
    return (near @ square) / near.sum(axis=1)
