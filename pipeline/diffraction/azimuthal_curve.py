"""What azimuthal integration gives; without the compiler that its kernels need."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AzimuthalCurve:
    """Mean intensity over q; three arrays of equal length."""

    q: NDArray[np.float64]
    """Bin centres [1/Å]."""
    intensity: NDArray[np.float64]
    """Unit of the image, per pixel at normal incidence; NaN: no valid pixel in the bin."""
    errors: NDArray[np.float64]
    """Standard error of the intensity; NaN where it cannot be told."""
