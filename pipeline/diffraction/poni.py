"""PONI files, and the way between pyFAI's geometry and Fit2D's."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.constants import HC
from pipeline.model.parameter import ParameterError
from pipeline.model.parameters import PARAMETERS

_SAME_PIXEL = 1e-3
"""Relative difference below which two pixel sizes are the same detector's."""
_NO_TILT = 1e-9
"""Tilt [deg] below which its direction is rounding."""


class PoniError(ValueError):
    """A PONI file that cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Poni:
    """The six numbers of a PONI file: where the detector stands, and how it is turned."""

    distance: float
    """Sample to detector plane, along its normal [m]."""
    poni1: float
    """Foot of that normal along y, from the corner of the first pixel [m]."""
    poni2: float
    """The same along x [m]."""
    rot1: float
    """Rotation about y [rad]."""
    rot2: float
    """Rotation about x [rad]."""
    rot3: float = 0.0
    """Rotation about the beam [rad]; changes no scattering angle."""

    @classmethod
    def from_fit2d(
        cls, distance: float, beam: tuple[float, float], tilt: float, rotation: float
    ) -> "Poni":
        """Convert from Fit2D's convention, as `pyFAI.geometry.fit2d` does.

        Args:
            distance: sample to detector, along the beam [m].
            beam: where the beam meets the detector plane, ``(y, x)`` from the corner of the
                first pixel [m].
            tilt: angle between beam and detector normal [deg].
            rotation: direction of the tilt [deg]; 0: larger x are farther from the sample.
        """
        cos_tilt, sin_tilt = _cos_sin(tilt)
        cos_plane, sin_plane = _cos_sin(rotation)
        rot2 = math.asin(sin_tilt * sin_plane)
        cos2 = math.sqrt(1.0 - (sin_plane * sin_tilt) ** 2)
        # An arc tangent would keep more digits, but pyFAI's own q must come out to the last one.
        rot1 = math.acos(min(1.0, max(-1.0, cos_tilt / cos2)))
        turn = cos_tilt * cos_plane * sin_plane - cos_plane * sin_plane
        return cls(
            distance=distance * cos_tilt,
            poni1=beam[0] - distance * sin_tilt * sin_plane,
            poni2=beam[1] - distance * sin_tilt * cos_plane,
            rot1=-rot1 if cos_plane * sin_tilt > 0 else rot1,
            rot2=rot2,
            rot3=0.5 * math.pi - math.acos(min(1.0, max(-1.0, turn / cos2))) if tilt else 0.0,
        )

    def to_fit2d(self) -> tuple[float, tuple[float, float], float, float]:
        """Convert to Fit2D's convention; the inverse of `from_fit2d` for tilts from 0 to 90°.

        Returns:
            Distance along the beam [m], beam ``(y, x)`` [m], tilt [deg], rotation [deg].

        Raises:
            PoniError: the beam does not meet the detector from the front.
        """
        cos_tilt = math.cos(self.rot1) * math.cos(self.rot2)
        along_y = math.sin(self.rot2)
        along_x = -math.cos(self.rot2) * math.sin(self.rot1)
        tilt = math.degrees(math.atan2(math.hypot(along_y, along_x), cos_tilt))
        if not cos_tilt > 0 or not self.distance > 0:
            raise PoniError(
                f"PONI: distance {self.distance:g} m with a tilt of {tilt:g}° cannot be given as a "
                "Fit2D geometry: the beam must meet the detector from the front, below 90°."
            )
        rotation = math.degrees(math.atan2(along_y, along_x))
        if tilt < _NO_TILT:
            tilt = rotation = 0.0
        distance = self.distance / cos_tilt
        beam = (self.poni1 + distance * along_y, self.poni2 + distance * along_x)
        return distance, beam, tilt, rotation

    def rotation_matrix(self) -> NDArray[np.float64]:
        """Turn vectors of the detector, in pyFAI's order (y, x, normal), into the laboratory.

        The rotation about the beam is left out: it changes no scattering angle.
        """
        cos1, sin1 = math.cos(self.rot1), math.sin(self.rot1)
        cos2, sin2 = math.cos(self.rot2), math.sin(self.rot2)
        about_y = np.array([[1.0, 0.0, 0.0], [0.0, cos1, sin1], [0.0, -sin1, cos1]])
        about_x = np.array([[cos2, 0.0, -sin2], [0.0, 1.0, 0.0], [sin2, 0.0, cos2]])
        return about_x @ about_y


@dataclass(frozen=True)
class PoniValues:
    """What a PONI file says, in the words of the parameter table."""

    settings: Mapping[str, float]
    """Values by parameter name; no ``photon_energy`` when the file holds no wavelength."""
    pixel_size: tuple[float, float]
    """``(y, x)`` [m]."""
    shape: tuple[int, int] | None
    """``(ny, nx)`` [pixel]; None when the file does not say."""


def write_poni(
    poni: Poni, wavelength: float, pixel_size: tuple[float, float], shape: tuple[int, int]
) -> str:
    """Write a PONI file's text, in the newest version that the installed pyFAI writes.

    Args:
        poni: the geometry.
        wavelength: [m].
        pixel_size: ``(y, x)`` [m].
        shape: ``(ny, nx)`` [pixel].
    """
    from pyFAI.detectors import Detector
    from pyFAI.io.ponifile import PoniFile

    file = PoniFile(
        {
            "poni_version": PoniFile.API_VERSION,
            "detector": "Detector",
            "detector_config": Detector(*pixel_size, max_shape=shape, orientation=3).get_config(),
            "dist": poni.distance,
            "poni1": poni.poni1,
            "poni2": poni.poni2,
            "rot1": poni.rot1,
            "rot2": poni.rot2,
            "rot3": poni.rot3,
            "wavelength": wavelength,
            "parallax": False,
        }
    )
    text = io.StringIO()
    file.write(text)
    # Without the line of the time, equal geometries give equal texts.
    lines = [line for line in text.getvalue().splitlines() if "Calibration done on" not in line]
    return "\n".join(lines) + "\n"


def read_poni(
    source: str | Path,
    pixel_size: tuple[float, float] | None = None,
    shape: tuple[int, int] | None = None,
) -> PoniValues:
    """Read a PONI file of any version into the values of the parameter table.

    A rotation about the beam (``Rot3``) is dropped, because it changes no scattering angle. Images
    that pyFAI takes as mirrored (orientations 1, 2 and 4) are converted, so that each pixel of
    the array keeps its scattering angle.

    Args:
        source: the text, or the path of the file.
        pixel_size: ``(y, x)`` [m] of the detector in use; None: not known.
        shape: ``(ny, nx)`` of the detector in use; needed when a mirrored file does not say it,
            which must have this shape when it does.

    Raises:
        PoniError: this is no PONI file, it belongs to another detector, or its geometry cannot
            be given as energy, distance, tilt, rotation and beam centre.
    """
    text = _read_text(source) if isinstance(source, Path) else source
    file = _parse(text)
    detector = file.detector
    pixel = (float(detector.pixel1), float(detector.pixel2))
    if pixel_size is not None and not np.allclose(pixel, pixel_size, rtol=_SAME_PIXEL, atol=0):
        raise PoniError(
            f"PONI: its pixels are {_microns(pixel)}, those of the detector {_microns(pixel_size)}:"
            " use a file of this detector."
        )
    own_shape = detector.shape or detector.max_shape
    file_shape = None if own_shape is None else (int(own_shape[0]), int(own_shape[1]))
    poni = Poni(file.dist, file.poni1, file.poni2, file.rot1 or 0.0, file.rot2 or 0.0)
    distance, (beam_y, beam_x), tilt, rotation = poni.to_fit2d()
    beam_y, beam_x = beam_y / pixel[0], beam_x / pixel[1]
    orientation = int(detector.orientation or 3)
    if orientation != 3:
        ny, nx = _mirrored_shape(file_shape, shape, orientation)
        if orientation in (1, 2):
            beam_y, rotation = ny - beam_y, -rotation
        if orientation in (1, 4):
            beam_x, rotation = nx - beam_x, 180.0 - rotation
        rotation = math.remainder(rotation, 360.0) if tilt else 0.0
    found = {
        "distance": distance,
        "tilt": tilt,
        "rotation": rotation,
        "beam_x": beam_x,
        "beam_y": beam_y,
    }
    if file.wavelength:
        found["photon_energy"] = HC / file.wavelength
    return PoniValues(_checked(found), pixel, file_shape)


def _cos_sin(degrees: float) -> tuple[float, float]:
    radians = degrees * math.pi / 180  # rounded as in pyFAI
    return math.cos(radians), math.sin(radians)


def _microns(pixel: tuple[float, float]) -> str:
    return f"{pixel[0] * 1e6:g} x {pixel[1] * 1e6:g} µm (y, x)"


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf8")
    except (OSError, UnicodeDecodeError) as error:
        raise PoniError(f"{path}: cannot be read as a PONI file ({error}).") from error


def _parse(text: str) -> Any:
    from pyFAI.io.ponifile import PoniFile

    pairs = [line.split(":", 1) for line in text.splitlines() if not line.startswith("#")]
    entries = {pair[0].strip().lower(): pair[1].strip() for pair in pairs if len(pair) == 2}
    missing = [key for key in ("distance", "poni1", "poni2") if key not in entries]
    if missing:
        raise PoniError(f"PONI: {missing[0]!r} is missing: this is no PONI file.")
    if not _names_detector(entries):
        raise PoniError("PONI: neither a detector nor pixel sizes are given; calibrate with one.")
    try:
        file = PoniFile(entries)
    except (KeyError, ValueError, TypeError, RuntimeError, OSError) as error:
        raise PoniError(f"PONI: pyFAI cannot read it ({error}).") from error
    detector = file.detector
    if file.dist is None or detector is None or not detector.pixel1 or not detector.pixel2:
        raise PoniError("PONI: the detector's pixel size is not given; calibrate with a detector.")
    if detector.splinefile or not detector.IS_FLAT or not detector.uniform_pixel:
        raise PoniError(
            f"PONI: detector {detector.name!r} is curved, distorted or has uneven pixels; only "
            "flat detectors with equal pixels can be used."
        )
    if file.parallax:
        raise PoniError("PONI: it has the parallax correction on; calibrate without it.")
    return file


def _names_detector(entries: Mapping[str, str]) -> bool:
    if "pixelsize1" in entries and "pixelsize2" in entries:
        return True
    return entries.get("detector", "None") not in ("", "None")


def _mirrored_shape(
    of_file: tuple[int, int] | None, of_detector: tuple[int, int] | None, orientation: int
) -> tuple[int, int]:
    """Return the shape in which an image is mirrored."""
    shape = of_file or of_detector
    if shape is None:
        raise PoniError(
            f"PONI: orientation {orientation} mirrors the image, and the file does not give its "
            "shape (max_shape): load it once frames have come in, or save it with orientation 3."
        )
    if of_detector is not None and shape != of_detector:
        raise PoniError(
            f"PONI: orientation {orientation} mirrors an image of {shape} pixels (y, x), but that "
            f"of the detector has {of_detector}: where its beam centre is cannot be told. Use a "
            "file of this detector, or save it with orientation 3."
        )
    return shape


def _checked(found: Mapping[str, float]) -> dict[str, float]:
    try:
        # Twelve digits: the way through pyFAI and back gives the number that was typed.
        return {
            name: float(PARAMETERS[name].check(round(float(f"{value:.12g}"), 12)))
            for name, value in found.items()
        }
    except ParameterError as error:
        raise PoniError(f"PONI: {error}") from error
