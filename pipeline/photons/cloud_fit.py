"""The shape of the cloud from the frames themselves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from pipeline.model.matched import CLOUD_LIMITS
from pipeline.photons.calibration import Calibration
from pipeline.photons.cloud_shape import DEFAULT_CLOUD
from pipeline.photons.matched import MatchedFilter, as_frame, isolation
from pipeline.photons.matched_kernel import fit_clouds

_STRONG = 12.0
"""Signal-to-noise ratio of photons that show the cloud's shape."""
_ISOLATED = 8.0
"""Distance to the next photon of those that show the cloud's shape [pixel]."""
_FEWEST = 20


def cloud_of(
    frames: Sequence[NDArray], calibration: Calibration, start: float = DEFAULT_CLOUD
) -> float | None:
    """Return the σ of the cloud that fits strong isolated photons best.

    Args:
        frames: some, each ``(ny, nx)`` [ADU raw].
        calibration: of that camera.
        start: σ with which the photons are looked for [pixel].

    Returns:
        σ [pixel], or None when there are less than 20 photons that show it.
    """
    offset, weights = calibration.offset, calibration.weights()
    matched = MatchedFilter(calibration, start)
    reach = max(3, matched.reach)
    strong: list[tuple[NDArray, NDArray[np.int64]]] = []
    for image in frames:
        frame = as_frame(image)
        found = matched.find(frame)
        use = (isolation(found) > _ISOLATED) & (found.snr > _STRONG) & (found.flags == 0)
        y = np.floor(found.y[use] + 0.5).astype(np.int64)
        x = np.floor(found.x[use] + 0.5).astype(np.int64)
        strong.append((frame, y * frame.shape[1] + x))
    if sum(len(pixels) for _, pixels in strong) < _FEWEST:
        return None

    def misfit(sigma: float) -> float:
        fits = [
            fit_clouds(frame, offset, weights, pixels, sigma, reach) for frame, pixels in strong
        ]
        # A hot pixel or a pair must not decide: the middle of all photons does.
        return float(np.nanmedian(np.concatenate([fit[:, 7] for fit in fits])))

    best = minimize_scalar(misfit, bounds=CLOUD_LIMITS, method="bounded", options={"xatol": 1e-3})
    return float(best.x)
