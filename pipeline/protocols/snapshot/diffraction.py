"""What is published of the geometry and of the azimuthal curve."""

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.groups import Group, plotted, published, value


@published
class Azimuthal(Group):
    """Azimuthal means of the image."""

    nexus = plotted("intensity", "q")

    q: NDArray[np.float64] = value(
        "Scattering vector.", default=np.empty(0), unit="1/angstrom", shape="(bin,)"
    )
    intensity: NDArray[np.float64] = value(
        "Azimuthal mean of `image`.", default=np.empty(0), shape="(bin,)"
    )
    intensity_errors: NDArray[np.float64] = value(
        "Their standard errors.", default=np.empty(0), shape="(bin,)"
    )


@published
class Geometry(Group):
    """Where the detector stands."""

    poni: str | None = value("The PONI file's text, when the geometry is set.", default=None)
    reason: str | None = value("Why there is no azimuthal curve.", default=None)
    camera: str | None = value(
        "Stream of the camera that the geometry belongs to, and the curve.", default=None
    )
