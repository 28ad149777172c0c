"""Random detector positions, and the same in pyFAI."""

from hypothesis import strategies as st
from pyFAI.detectors import Detector
from pyFAI.geometry.fit2d import convert_from_Fit2d
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from pipeline.diffraction.geometry import Geometry

PIXEL = 172e-6
LAB6 = Geometry(13.5, 0.131, 0.0, 0.0, 210.0, 373.0, (PIXEL, PIXEL), (831, 1475))
TILTED = Geometry(13.5, 0.131, 25.0, 40.0, 210.0, 373.0, (PIXEL, PIXEL), (831, 1475))


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Return floats between two limits."""
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


def geometries() -> st.SearchStrategy[Geometry]:
    """Return any geometry that the parameters allow, of small images with oblong pixels."""
    special = st.sampled_from([0.0, 45.0, -45.0, 89.0, -89.0])
    return st.builds(
        Geometry,
        photon_energy=numbers(3.0, 60.0),
        distance=numbers(0.01, 2.0),
        tilt=special | numbers(-89.0, 89.0),
        rotation=st.sampled_from([0.0, 90.0, 180.0, -90.0, 360.0]) | numbers(-360.0, 360.0),
        beam_x=numbers(-200.0, 300.0),
        beam_y=numbers(-200.0, 300.0),
        pixel_size=st.tuples(numbers(20e-6, 300e-6), numbers(20e-6, 300e-6)),
        shape=st.tuples(st.integers(2, 120), st.integers(2, 120)),
    )


def in_pyfai(geometry: Geometry) -> AzimuthalIntegrator:
    """Return pyFAI's integrator with this geometry, by pyFAI's own Fit2D conversion."""
    detector = Detector(*geometry.pixel_size, max_shape=geometry.shape, orientation=3)
    # The constructor: each of pyFAI's setters collects garbage, which takes 0.1 s.
    poni = convert_from_Fit2d(
        {
            "directDist": geometry.distance * 1e3,
            "centerX": geometry.beam_x,
            "centerY": geometry.beam_y,
            "tilt": geometry.tilt,
            "tiltPlanRotation": geometry.rotation,
            "detector": detector,
        }
    )
    return AzimuthalIntegrator(
        poni.dist,
        poni.poni1,
        poni.poni2,
        poni.rot1,
        poni.rot2,
        poni.rot3,
        detector=detector,
        wavelength=geometry.wavelength,
    )
