"""Fit a peak or a step to a curve, with errors that can be relied on.

The weights are the standard errors of the steps. Such an error comes from the few frames of its
step and is uncertain itself; taken as it is, a step whose frames agree by chance would rule the
fit. So each variance is drawn towards the one that steps of that height have in common, as far as
its number of frames demands (Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004, 3); a step of one frame,
which has no error, takes the common one. Where all steps are of one frame, their errors are told
from what the fit leaves (`pipeline.frames.residual_scatter`), and the fit is repeated with them.

The parameters' errors come from the covariance. They are never made smaller by χ² (only larger,
when the points scatter more than their errors say). Where strong points scatter more than weak
ones, and too few frames tell by how much, that is too little; so the variance that follows from
what each point is off (MacKinnon and White, J. Econometrics 29, 1985, 305, HC3) is taken for a
parameter where it is larger. Student's t widens both, so that ± 2 errors hold the truth in 95.4 %
of scans with few points too. With one frame a step, its degrees of freedom are those of the few
strong points, as far as these scatter more than the others; and how far the weights have moved a
parameter is added. That is rather too much: where shots differ by 20 %, ± 2 errors then hold the
true centre in 97.8 ± 0.2 % of 5000 scans (96.9 % of Lorentzian curves, 98.3 % of Gaussian ones).
Dividing by what the shots have in common, or more frames a step, make the errors smaller.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.curve_points import BROAD, Floats, Points, common_variance
from pipeline.frames.peak_models import SHAPES, Shape, start_values
from pipeline.frames.residual_scatter import scatter_sigmas
from pipeline.model.parameters import MODELS

PARAMETERS = ("centre", "fwhm", "height", "offset")
_HEIGHT = PARAMETERS.index("height")

_SIGNIFICANT = 3.0
"""Height / its error of a peak that is shown."""
_WORST = 0.35
"""Rms of what is left / height, above which the curve does not look like the model."""
_UNDETERMINED = "the points do not determine all of centre, width, height and offset"
_ROUNDS = 3
_FEWEST = 2.0
"""Degrees of freedom of a variance that next to no point tells."""
_MOST = 1000
"""Points that are fitted; more are taken together."""


@dataclass(frozen=True)
class PeakFit:
    """What a fit gave; all numbers are NaN when it is of no use, and the status says why."""

    model: str
    status: str
    values: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARAMETERS, math.nan))
    """By the names of `PARAMETERS`; centre and fwhm in units of x, the others in those of y."""
    errors: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARAMETERS, math.nan))
    """Standard errors."""
    curve: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """``(point,)`` the model at each x that was given; empty without a fit."""

    @property
    def valid(self) -> bool:
        """Tell whether there are numbers."""
        return len(self.curve) > 0


def fit_peak(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    errors: NDArray[np.float64] | None = None,
    counts: NDArray[np.float64] | None = None,
    *,
    model: str = "gaussian",
) -> PeakFit:
    """Fit a model to a curve.

    The models are those of `pipeline.frames.peak_models`; a dip has a negative height.

    Args:
        x: ``(point,)`` axis, in any order; points that are not finite are left out.
        y: ``(point,)`` values; points that are not finite are left out.
        errors: ``(point,)`` standard errors of the values; NaN, 0 and None: unknown.
        counts: ``(point,)`` how many frames each value and error is from; None: many.
        model: one of `MODELS`.

    Returns:
        Values, errors, curve and status.

    Raises:
        ValueError: there is no such model, or the arrays have different lengths.
    """
    if model not in MODELS:
        raise ValueError(f"model {model!r}: use one of {', '.join(MODELS)}.")
    if model == "none":
        return PeakFit(model, "no fit: FitModel is none")
    given = np.asarray(x, np.float64)
    values = np.asarray(y, np.float64)
    error = np.full(len(given), math.nan) if errors is None else np.asarray(errors, np.float64)
    count = np.full(len(given), math.inf) if counts is None else np.asarray(counts, np.float64)
    if not len(given) == len(values) == len(error) == len(count):
        raise ValueError(
            f"{len(given)} x, {len(values)} y, {len(error)} errors, {len(count)} counts: give "
            "equally many."
        )
    use = np.isfinite(given) & np.isfinite(values)
    shape = SHAPES[model]
    if problem := _unusable(given[use], values[use], shape.parameters):
        return PeakFit(model, problem)
    points = Points.of(*_grouped(given[use], values[use], error[use], count[use]))
    fit = _best_fit(points, shape)
    if isinstance(fit, str):
        return PeakFit(model, fit)
    return _judge(fit, points, shape, model, given)


def _grouped(x: Floats, y: Floats, error: Floats, count: Floats) -> tuple[Floats, ...]:
    """Make steps of neighbouring points where there are more than a fit needs."""
    if len(x) <= _MOST:
        return x, y, error, count
    order = np.argsort(x, kind="stable")
    groups = np.array_split(order, _MOST)
    sizes = np.array([len(group) for group in groups], np.float64)
    spread = np.array([np.std(y[group], ddof=1) for group in groups])
    return (
        np.array([x[group].mean() for group in groups]),
        np.array([y[group].mean() for group in groups]),
        spread / np.sqrt(sizes),
        sizes,
    )


def _unusable(x: NDArray[np.float64], y: NDArray[np.float64], parameters: int) -> str:
    different = len(np.unique(x))
    if different <= parameters:
        points = "1 point" if different == 1 else f"{different} different points"
        return f"no fit yet: {points}, at least {parameters + 1} are needed"
    if np.ptp(y) == 0:
        return f"no fit: all points have the value {y[0]:g}"
    return ""


@dataclass(frozen=True)
class _Fit:
    parameters: NDArray[np.float64]
    errors: NDArray[np.float64]
    chi_square: float
    """Per degree of freedom, before the errors were scaled by it."""
    height_sigma: float
    """Error of the height before it was widened for the few points that it is known from."""


def _best_fit(points: Points, shape: Shape) -> _Fit | str:
    # A third of the start of the device, which fits only when it is told to.
    from scipy.optimize import least_squares

    low = [-1.0, math.log(1e-4), -20.0, -20.0, *shape.low]
    high = [2.0, math.log(20.0), 20.0, 20.0, *shape.high]
    starts = start_values(points.x, points.y, shape)
    # First by the heights of the points, then by those of the curve: a point that is low by chance
    # must not seem better known for that.
    height = np.clip(points.y, 0, 1)
    sigma = points.sigmas(height)
    sigma_used = sigma
    best = first = None
    for _ in range(_ROUNDS):

        def residuals(p: NDArray[np.float64], sigma: NDArray[np.float64] = sigma) -> NDArray:
            return (shape.curve(points.x, p) - points.y) / sigma

        tried = [
            least_squares(residuals, np.clip(start, low, high), bounds=(low, high), max_nfev=200)
            for start in starts
        ]
        best = min(tried, key=lambda result: result.cost)
        starts = [best.x.tolist()]
        first = best if first is None else first
        sigma_used = sigma
        height = np.clip(shape.curve(points.x, best.x), 0, 1)
        if points.known:
            sigma = points.sigmas(height)
        else:
            sigma = scatter_sigmas(height, best.fun, best.jac, sigma)
    assert best is not None and first is not None
    if not best.success:
        return "no fit: it does not converge"
    freedom = len(points.x) - shape.parameters
    chi_square = 2 * float(best.cost) / freedom
    curvature = best.jac.T @ best.jac
    try:
        covariance = np.linalg.inv(curvature)
    except np.linalg.LinAlgError:
        return f"no fit: {_UNDETERMINED}"
    if not (np.isfinite(covariance).all() and (np.diag(covariance) >= 0).all()):
        return f"no fit: {_UNDETERMINED}"
    scattered = _scatter_variance(best.jac, best.fun, covariance, None if points.known else height)
    scale = max(chi_square, 1.0) if points.known else chi_square
    variance = np.maximum(np.diag(covariance) * scale, scattered)
    height_sigma = float(np.sqrt(variance[_HEIGHT])) * _student(freedom)
    if points.known:
        variance *= _student(freedom) ** 2
    else:
        pull = best.jac @ covariance
        widened = [_student(each) for each in _effective_freedom(pull, sigma_used, freedom)]
        variance *= np.array(widened) ** 2
        # Both are fits of the same points: they differ by no more than the points allow.
        variance += (best.x - first.x) ** 2
    return _Fit(best.x, np.sqrt(variance), chi_square, height_sigma)


def _scatter_variance(
    jacobian: NDArray[np.float64],
    off: NDArray[np.float64],
    covariance: NDArray[np.float64],
    height: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Return the parameters' variances as what each point is off gives them.

    Args:
        jacobian: ``(point, parameter)``, over the points' errors.
        off: ``(point,)``, over the points' errors.
        covariance: inverse of the curvature.
        height: ``(point,)`` from 0 to 1, where no error is known: a point that is hit by chance
            then counts as points of its height do.
    """
    pull = jacobian @ covariance
    leverage = np.einsum("ip,ip->i", pull, jacobian)
    # A point that alone decides about a parameter is hit by any curve, and says nothing.
    square = (off / np.maximum(1 - leverage, 0.3)) ** 2
    if height is not None:
        alike = common_variance(height, height, square, np.ones(len(square)), BROAD)
        square = np.maximum(square, alike)
    return np.einsum("ip,i->p", pull**2, square)


def _effective_freedom(pull: Floats, sigma: Floats, freedom: int) -> Floats:
    """Return the degrees of freedom of each parameter's variance.

    What all points have in common is known from all of them. What strong points have in addition
    is known from those few, less what the fit takes away (Satterthwaite, Biometrics Bull. 2, 1946,
    110).

    Args:
        pull: ``(point, parameter)`` how far each point pulls each parameter, in its errors.
        sigma: ``(point,)`` errors of the points.
        freedom: points less parameters.
    """
    all_of_it = pull**2
    more = all_of_it * (1 - (sigma.min() / sigma) ** 2)[:, None]
    share = more.sum(axis=0) / np.maximum(all_of_it.sum(axis=0), 1e-300)
    few = more.sum(axis=0) ** 2 / np.maximum((more**2).sum(axis=0), 1e-300) - pull.shape[1]
    return 1 / ((1 - share) ** 2 / freedom + share**2 / np.clip(few, _FEWEST, freedom))


def _student(freedom: float) -> float:
    """Return the factor by which ± 2 errors of so many degrees of freedom hold what ± 2 σ hold."""
    from scipy.special import ndtr, stdtrit

    return float(stdtrit(freedom, ndtr(2.0))) / 2.0


def _judge(
    fit: _Fit, points: Points, shape: Shape, model: str, given: NDArray[np.float64]
) -> PeakFit:
    """Turn a fit into numbers, or say why it is of no use."""
    centre, width, height, offset = fit.parameters[:4].tolist()
    error = fit.errors[:4].tolist()
    fwhm = math.exp(width)
    values = {
        "centre": points.x_zero + points.x_unit * centre,
        "fwhm": points.x_unit * fwhm,
        "height": points.y_unit * height,
        "offset": points.y_zero + points.y_unit * offset,
    }
    errors = {
        "centre": points.x_unit * error[0],
        "fwhm": points.x_unit * fwhm * error[1],
        "height": points.y_unit * error[2],
        "offset": points.y_unit * error[3],
    }
    numbers = [*values.values(), *errors.values()]
    left = shape.curve(points.x, fit.parameters) - points.y
    start, stop = points.x_zero, points.x_zero + points.x_unit
    what = "step" if model == "step" else "peak"
    # Where no point is on the flanks, height and width are made up.
    spacing = 2 * float(np.sort(np.abs(points.x - centre))[:3].mean())
    if not all(map(math.isfinite, numbers)):
        problem = _UNDETERMINED
    elif not 0 <= centre <= 1:
        problem = f"its centre {values['centre']:g} lies outside of the scan, {start:g} … {stop:g}"
    elif model != "step" and fwhm < 0.8 * spacing:
        problem = f"too few points on the {what}, FWHM {values['fwhm']:.3g}; use smaller steps"
    elif abs(height) < _SIGNIFICANT * fit.height_sigma:
        size = f"{values['height']:.3g} ± {errors['height']:.2g}"
        problem = f"no clear {what}, its height would be {size}; take more frames"
    elif np.sqrt(np.mean(left**2)) > _WORST * abs(height):
        problem = f"the curve does not look like a {model}"
    elif fwhm > 2:
        problem = f"the {what} is wider than the scan, FWHM {values['fwhm']:g}"
    elif error[1] > 1 and model != "step":
        problem = f"the width of the {what} is not determined"
    else:
        status = f"{model}, {len(points.x)} points"
        if points.known:
            status += f", chi²/dof {fit.chi_square:.2f}"
        x = (given - points.x_zero) / points.x_unit
        curve = points.y_zero + points.y_unit * shape.curve(x, fit.parameters)
        return PeakFit(model, status, values, errors, curve)
    return PeakFit(model, f"no fit: {problem}")
