"""Where the detector stands: scattering vectors of pixels, rings, PONI, calibrants."""

import dataclasses
import difflib
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.diffraction import rings
from pipeline.diffraction.poni import Poni, PoniValues, read_poni, write_poni
from pipeline.diffraction.rings import Plane
from pipeline.model.constants import HC
from pipeline.model.parameters import PARAMETERS, Settings

_NEEDED = ("photon_energy", "distance")
_INTEGRATION = ("azimuthal_bins", "correct_polarization", "polarization_factor")


class GeometryError(ValueError):
    """A question that the geometry cannot answer; the text says why and what to do."""


@dataclass(frozen=True)
class Geometry:
    """Detector position and photon energy, in Fit2D's convention as pyFAI takes it."""

    photon_energy: float
    """[keV]"""
    distance: float
    """Sample to detector, along the beam [m]."""
    tilt: float
    """[deg]"""
    rotation: float
    """Direction of the tilt [deg]."""
    beam_x: float
    """Where the beam meets the detector plane [pixel], from the corner of the first pixel."""
    beam_y: float
    pixel_size: tuple[float, float]
    """``(y, x)`` [m]."""
    shape: tuple[int, int]
    """``(ny, nx)`` [pixel]."""

    def __post_init__(self) -> None:
        if not (self.photon_energy > 0 and self.distance > 0 and abs(self.tilt) < 90):
            raise GeometryError(
                f"photon energy {self.photon_energy:g} keV, distance {self.distance:g} m, tilt "
                f"{self.tilt:g}°: energy and distance must be above 0, the tilt below 90°."
            )
        if min(self.shape) < 1 or not min(self.pixel_size) > 0:
            raise GeometryError(
                f"image of {self.shape} pixels of {self.pixel_size} m: both must be above 0."
            )

    @property
    def wavelength(self) -> float:
        """Wavelength [m]."""
        return HC / self.photon_energy

    @cached_property
    def poni(self) -> Poni:
        """The same geometry in pyFAI's own numbers."""
        beam = (self.beam_y * self.pixel_size[0], self.beam_x * self.pixel_size[1])
        return Poni.from_fit2d(self.distance, beam, self.tilt, self.rotation)

    @cached_property
    def plane(self) -> Plane:
        """The detector as a plane in the laboratory."""
        poni, (size_y, size_x) = self.poni, self.pixel_size
        turn = poni.rotation_matrix()
        corner = np.array([0.5 * size_y - poni.poni1, 0.5 * size_x - poni.poni2, poni.distance])
        return Plane(turn @ corner, turn[:, 0] * size_y, turn[:, 1] * size_x, self.shape)

    @property
    def wave_number(self) -> float:
        """4 pi / wavelength [1/Å]: q is this times the sine of half the scattering angle."""
        return 4 * math.pi / (self.wavelength * 1e10)

    def q_at(self, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scattering vector of positions on the detector.

        Args:
            y: [pixel, integer = centre], any shape.
            x: the same, of the same shape.

        Returns:
            q [1/Å], of that shape.
        """
        plane = self.plane
        along_y, along_x, beam = (
            plane.origin[i] + y * plane.step_y[i] + x * plane.step_x[i] for i in range(3)
        )
        across = along_y**2 + along_x**2
        length = np.sqrt(across + beam**2)
        # sin²(θ) = (1 - cos 2θ) / 2 = (length - beam) / (2 length), written without cancellation.
        beside = np.where(beam > 0, across / (length + np.abs(beam)), length - beam)
        return self.wave_number * np.sqrt(beside / (2 * length))

    def q_of_pixels(self) -> NDArray[np.float64]:
        """Return the scattering vector of every pixel's centre, ``(ny, nx)`` [1/Å]."""
        ny, nx = self.shape
        return self.q_at(np.arange(ny, dtype=np.float64)[:, None], np.arange(nx, dtype=np.float64))

    def ring(self, q: float) -> NDArray[np.float64]:
        """Draw the ring of one q, whole or in pieces, at any tilt.

        Args:
            q: [1/Å].

        Returns:
            ``(n, 2)`` of ``(y, x)`` [pixel, integer = centre], a NaN row between two pieces;
            ``(0, 2)`` when the detector does not see this q.
        """
        sine = q / self.wave_number
        if not 0 < sine < 1:
            return np.empty((0, 2))
        return rings.ring(self.plane, 2 * math.asin(sine))

    def to_poni(self) -> str:
        """Return the text of the PONI file (pyFAI's newest version, orientation 3).

        Equal geometries give equal texts.
        """
        return _poni_text(self)

    def cut(self, y: slice, x: slice) -> "Geometry":
        """Return the geometry of a part of the image.

        Args:
            y: rows, with start and stop inside the image.
            x: columns.
        """
        return dataclasses.replace(
            self,
            beam_x=self.beam_x - x.start,
            beam_y=self.beam_y - y.start,
            shape=(y.stop - y.start, x.stop - x.start),
        )


@lru_cache(maxsize=8)
def _poni_text(geometry: Geometry) -> str:
    return write_poni(geometry.poni, geometry.wavelength, geometry.pixel_size, geometry.shape)


def missing(settings: Settings) -> str:
    """Say what is not set, as a sentence; empty when the geometry is complete."""
    names = [str(PARAMETERS[name].attribute) for name in _NEEDED if not getattr(settings, name)]
    if not names:
        return ""
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not set."


def from_settings(
    settings: Settings, pixel_size: tuple[float, float], shape: tuple[int, int]
) -> Geometry | None:
    """Build the geometry of the image that is there.

    Args:
        settings: a snapshot of the parameters.
        pixel_size: ``(y, x)`` [m].
        shape: ``(ny, nx)`` [pixel].

    Returns:
        The geometry, or None when something is not set (see `missing`).
    """
    if missing(settings):
        return None
    return Geometry(
        photon_energy=settings.photon_energy,
        distance=settings.distance,
        tilt=settings.tilt,
        rotation=settings.rotation,
        beam_x=settings.beam_x,
        beam_y=settings.beam_y,
        pixel_size=(float(pixel_size[0]), float(pixel_size[1])),
        shape=(int(shape[0]), int(shape[1])),
    )


def with_geometry_of(settings: Settings, now: Settings) -> Settings:
    """Return an image's settings with the geometry and the integration that are set now.

    The geometry may be found long after the image was taken.

    Args:
        settings: those of the image.
        now: those in force.
    """
    names = {*_INTEGRATION, *(field.name for field in dataclasses.fields(Geometry))}
    values = {name: getattr(now, name) for name in names & PARAMETERS.keys()}
    return dataclasses.replace(settings, **values)


def from_poni(
    source: str | Path,
    pixel_size: tuple[float, float] | None = None,
    shape: tuple[int, int] | None = None,
) -> PoniValues:
    """Read a PONI file into values of the parameter table; see `read_poni`."""
    return read_poni(source, pixel_size, shape)


def calibrant_q(name: str, geometry: Geometry) -> NDArray[np.float64]:
    """Return the lines of one of pyFAI's calibrants that the detector sees.

    Args:
        name: as pyFAI calls it; upper and lower case are the same.
        geometry: the detector.

    Returns:
        ``(n,)`` q [1/Å], rising.

    Raises:
        GeometryError: there is no calibrant of that name; the text lists similar ones.
    """
    from pyFAI.calibrant import get_calibrant, names

    known = {str(key).lower(): str(key) for key in names()}
    found = known.get(name.strip().lower())
    if found is None:
        close = difflib.get_close_matches(name.strip().lower(), known, n=5, cutoff=0.4)
        proposed = [known[key] for key in close] or sorted(known.values())
        raise GeometryError(f"calibrant {name!r} is not known; did you mean {', '.join(proposed)}?")
    spacings = np.array(get_calibrant(found).dspacing, dtype=np.float64)
    q = np.unique(2 * np.pi / spacings[spacings > 0])
    return np.array([value for value in q if len(geometry.ring(float(value)))], dtype=np.float64)
