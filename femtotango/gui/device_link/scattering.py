"""What a position in the image means: q, scattering angle and lattice spacing."""

import math
from dataclasses import dataclass

import numpy as np

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.shown import shown_image
from pipeline.diffraction.geometry import Geometry, GeometryError, from_settings
from pipeline.model.parameter import ParameterError
from pipeline.model.parameters import PARAMETERS, POSITION, Settings


@dataclass(frozen=True)
class Scattering:
    """Of one position on the detector."""

    q: float
    """[1/Å]"""
    two_theta: float
    """[deg]"""
    spacing: float
    """d = 2π / q [Å]; infinite in the beam."""


def shown_geometry(link: DeviceLink) -> Geometry | None:
    """Return the geometry of the shown image; None: not set, or that of another camera."""
    image = shown_image(link)
    size = float(link.value("PixelSize", math.nan))
    if image is None or not size > 0:
        return None
    first = next(iter(link.value("Cameras", ())), "")
    owner = link.value("GeometryCamera", "") or first
    if owner and owner != image.detector:
        return None
    settings = Settings()
    try:
        for name in ("photon_energy", *POSITION):
            settings = settings.replaced(name, link.value(str(PARAMETERS[name].attribute)))
        return from_settings(settings, (size, size), image.shape)
    except (ParameterError, GeometryError):
        # A value is missing; the panel of the geometry says so.
        return None


def scattering_at(geometry: Geometry, x: float, y: float) -> Scattering:
    """Return what a position means.

    Args:
        geometry: of the image.
        x: [pixel], integers are centres.
        y: the same.
    """
    q = float(geometry.q_at(np.array([y]), np.array([x]))[0])
    two_theta = 2 * math.degrees(math.asin(min(1.0, q / geometry.wave_number)))
    return Scattering(q, two_theta, 2 * math.pi / q if q > 0 else math.inf)
