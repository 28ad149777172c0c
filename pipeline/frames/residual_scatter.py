"""How much the points of a curve scatter, told from what a fit leaves: for steps of one frame.

Such a step has no error of its own. What is common to all shots (readout, background), what counts
photons and what comes from the strength of the shots give the variance of a point a part that is
constant, one that grows with the height of the curve, and one that grows with its square. None of
them is negative. They are estimated from the squares of what the fit leaves, each with the
expectation that it has for the freedom that the fit takes away (MINQUE: C. R. Rao, J. Multivariate
Analysis 1, 1971, 257). Weights from this estimate, in turn with fits, are feasible generalised
least squares (Carroll and Ruppert, Transformation and Weighting in Regression, 1988, chapter 2):
strong points that are high by chance no longer pull the fit to themselves.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_POWERS = (0, 1, 2)
_ROUNDS = 5
_LEAST = 0.02
"""Of the mean variance: no point is better known, even where the curve is 0."""


def scatter_sigmas(height: Floats, off: Floats, jacobian: Floats, sigma: Floats) -> Floats:
    """Return the standard error of each point as a fit tells it.

    Args:
        height: ``(point,)`` of the fitted curve, from 0 to 1.
        off: ``(point,)`` what the fit leaves, over `sigma`.
        jacobian: ``(point, parameter)`` of the fitted curve, over `sigma`.
        sigma: ``(point,)`` the errors that the fit was made with.

    Returns:
        ``(point,)``; as given where nothing can be told.
    """
    # With what else scipy has to optimise, a third of the start of the device.
    from scipy.optimize import nnls

    parts = np.stack([height**power for power in _POWERS], axis=1)
    # The fit moves towards each point: what is left of it is less than its scatter.
    left = np.eye(len(off)) - jacobian @ np.linalg.pinv(jacobian)
    expected = left**2 @ (parts / sigma[:, None] ** 2)
    square = off**2
    lowest = _LEAST * float(square.mean())
    if not lowest > 0:
        return sigma
    scale = np.full(len(off), float(square.mean()))
    shares = np.zeros(len(_POWERS))
    for _ in range(_ROUNDS):
        # A square of what is left scatters in proportion to its expectation.
        shares, _residual = nnls(expected / scale[:, None], square / scale)
        scale = np.maximum(expected @ shares, lowest)
    variance = parts @ shares
    if not variance.mean() > 0:
        return sigma
    return np.sqrt(np.maximum(variance, _LEAST * variance.mean()))
