"""PONI files: pyFAI opens ours, and theirs give the attributes back."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pyFAI
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyFAI.detectors import Detector, detector_factory
from pyFAI.integrator.azimuthal import AzimuthalIntegrator
from support.geometries import LAB6, TILTED, geometries, in_pyfai, numbers

from pipeline.diffraction.geometry import Geometry, from_poni
from pipeline.diffraction.poni import Poni, PoniError, PoniValues


def geometry_of(values: PoniValues, shape: tuple[int, int]) -> Geometry:
    return Geometry(pixel_size=values.pixel_size, shape=shape, **values.settings)


def open_in_pyfai(text: str, folder: Path) -> AzimuthalIntegrator:
    path = folder / "geometry.poni"
    path.write_text(text)
    return pyFAI.load(str(path))


def same_q(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9 * other.max())


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(geometries())
def test_pyfai_reads_the_same_q_from_our_file(
    tmp_path_factory: pytest.TempPathFactory, geometry: Geometry
) -> None:
    opened = open_in_pyfai(geometry.to_poni(), tmp_path_factory.mktemp("poni"))
    q = opened.center_array(geometry.shape, unit="q_A^-1")
    np.testing.assert_allclose(q, geometry.q_of_pixels(), rtol=1e-9, atol=1e-12)
    same_q(q, in_pyfai(geometry).center_array(geometry.shape, unit="q_A^-1"))


def test_the_file_says_version_orientation_and_detector(tmp_path: Path) -> None:
    text = TILTED.to_poni()
    assert "poni_version: 3" in text
    opened = open_in_pyfai(text, tmp_path)
    assert opened.detector.orientation == 3
    assert tuple(opened.detector.shape) == TILTED.shape
    assert (opened.detector.pixel1, opened.detector.pixel2) == TILTED.pixel_size
    theirs = in_pyfai(TILTED)
    for name in ("dist", "poni1", "poni2", "rot1", "rot2", "rot3", "wavelength"):
        assert getattr(opened, name) == pytest.approx(getattr(theirs, name), rel=1e-12, abs=1e-15)
    assert TILTED.to_poni() == text


@settings(max_examples=40, deadline=None)
@given(geometries())
def test_our_file_gives_the_same_q_back(geometry: Geometry) -> None:
    values = from_poni(geometry.to_poni(), geometry.pixel_size, geometry.shape)
    assert values.shape == geometry.shape
    # An arc cosine near 1 leaves the square root of the rounding, about 2e-8 rad, in a rotation:
    # much for a detector that sees nothing but the direct beam's surroundings.
    atol = 5e-8 * 2 * math.pi / (geometry.wavelength * 1e10)
    q = geometry_of(values, geometry.shape).q_of_pixels()
    np.testing.assert_allclose(q, geometry.q_of_pixels(), rtol=1e-6, atol=atol)


@settings(max_examples=40, deadline=None)
@given(
    energy=numbers(1.0, 100.0),
    distance=numbers(0.01, 10.0),
    tilt=numbers(0.01, 89.0),
    rotation=numbers(-179.9, 180.0),
    beam=st.tuples(numbers(-3000.0, 3000.0), numbers(-3000.0, 3000.0)),
)
def test_a_file_that_pyfai_wrote_gives_the_attributes_back(
    tmp_path_factory: pytest.TempPathFactory,
    energy: float,
    distance: float,
    tilt: float,
    rotation: float,
    beam: tuple[float, float],
) -> None:
    size = (172e-6, 172e-6)
    written = Geometry(energy, distance, tilt, rotation, *beam, size, (831, 1475))
    path = tmp_path_factory.mktemp("poni") / "theirs.poni"
    in_pyfai(written).save(str(path))
    found = from_poni(path).settings
    assert found["photon_energy"] == pytest.approx(energy, rel=1e-9)
    assert found["distance"] == pytest.approx(distance, rel=1e-6)
    assert found["tilt"] == pytest.approx(tilt, abs=1e-6)
    assert math.remainder(found["rotation"] - rotation, 360.0) == pytest.approx(0.0, abs=1e-4)
    far = distance / size[0]
    assert found["beam_x"] == pytest.approx(beam[0], abs=1e-9 * far + 1e-6)
    assert found["beam_y"] == pytest.approx(beam[1], abs=1e-9 * far + 1e-6)


def test_round_numbers_come_back_round(tmp_path: Path) -> None:
    path = tmp_path / "theirs.poni"
    in_pyfai(LAB6).save(str(path))
    assert from_poni(path).settings == {
        "photon_energy": 13.5,
        "distance": 0.131,
        "tilt": 0.0,
        "rotation": 0.0,
        "beam_x": 210.0,
        "beam_y": 373.0,
    }


def test_the_direction_of_the_tilt() -> None:
    sideways = dataclasses.replace(LAB6, tilt=10.0)
    assert sideways.plane.step_x[2] > 0
    assert sideways.plane.step_y[2] == pytest.approx(0.0, abs=1e-12)
    assert dataclasses.replace(sideways, rotation=90.0).plane.step_y[2] > 0


@pytest.mark.parametrize(("rotation", "back"), [(0.0, 180.0), (180.0, 0.0), (300.0, 120.0)])
def test_a_negative_tilt_comes_back_positive(rotation: float, back: float) -> None:
    tilted = dataclasses.replace(LAB6, tilt=-5.0, rotation=rotation)
    found = from_poni(tilted.to_poni()).settings
    assert (found["tilt"], found["rotation"]) == (5.0, back)
    assert (found["beam_x"], found["beam_y"]) == (210.0, 373.0)


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_mirrored_images_and_turns_about_the_beam_are_converted(
    orientation: int, tmp_path: Path
) -> None:
    shape = (83, 147)
    detector = Detector(172e-6, 100e-6, max_shape=shape, orientation=orientation)
    pyfai = AzimuthalIntegrator(0.1, 0.003, 0.011, 0.2, -0.15, 0.7, detector=detector)
    pyfai.energy = 13.5
    path = tmp_path / "theirs.poni"
    pyfai.save(str(path))
    values = from_poni(path)
    same_q(geometry_of(values, shape).q_of_pixels(), pyfai.center_array(shape, unit="q_A^-1"))


def test_a_mirrored_file_without_a_shape_takes_the_images() -> None:
    pyfai = AzimuthalIntegrator(0.1, 0.003, 0.011, detector=Detector(1e-4, 1e-4, orientation=2))
    text = text_of(pyfai)
    with pytest.raises(PoniError, match="orientation 2"):
        from_poni(text)
    assert from_poni(text, shape=(100, 200)).settings["beam_y"] == pytest.approx(100 - 30)


@pytest.mark.parametrize("orientation", [1, 2, 4])
def test_a_mirrored_file_of_another_shape_is_refused(orientation: int) -> None:
    detector = Detector(172e-6, 172e-6, max_shape=(195, 487), orientation=orientation)
    text = text_of(AzimuthalIntegrator(0.1, 387.3 * 172e-6, 0.01, detector=detector))
    with pytest.raises(PoniError, match=r"\(195, 487\).*\(831, 1475\).*orientation 3"):
        from_poni(text, (172e-6, 172e-6), (831, 1475))
    assert from_poni(text, (172e-6, 172e-6), (195, 487)).shape == (195, 487)


def test_a_file_that_is_not_mirrored_may_be_of_another_shape() -> None:
    text = text_of(AzimuthalIntegrator(0.1, 0.0172, 0.01, detector=Detector(1e-4, 1e-4)))
    assert from_poni(text, shape=(831, 1475)).settings["beam_y"] == pytest.approx(172.0)


def text_of(pyfai: AzimuthalIntegrator) -> str:
    from io import StringIO

    from pyFAI.io.ponifile import PoniFile

    text = StringIO()
    PoniFile(pyfai).write(text)
    return text.getvalue()


def test_a_detector_by_name_and_a_file_without_energy() -> None:
    pyfai = AzimuthalIntegrator(0.1, 0.01, 0.02, detector=detector_factory("Pilatus1M"))
    values = from_poni(text_of(pyfai))
    assert values.pixel_size == pytest.approx((172e-6, 172e-6))
    assert values.shape == (1043, 981)
    assert "photon_energy" not in values.settings


def test_the_oldest_version_is_read() -> None:
    text = "PixelSize1: 0.000172\nPixelSize2: 0.000172\nDistance: 0.2\nPoni1: 0.0172\nPoni2: 0.0344"
    values = from_poni(text + "\nRot1: 0.0\nRot2: 0.0\nRot3: 0.0\nWavelength: 1e-10\n")
    assert values.settings["beam_y"] == pytest.approx(100.0)
    assert values.settings["beam_x"] == pytest.approx(200.0)
    assert values.settings["photon_energy"] == pytest.approx(12.39842, rel=1e-6)


def test_the_last_of_several_calibrations_counts() -> None:
    first = LAB6.to_poni()
    assert from_poni(first + first.replace("0.131", "0.25")).settings["distance"] == 0.25


def test_files_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    good = LAB6.to_poni()
    binary = tmp_path / "binary.poni"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    cases: list[tuple[str | Path, str]] = [
        ("", "'distance' is missing"),
        ("nothing: here", "'distance' is missing"),
        (tmp_path / "absent.poni", "absent.poni: cannot be read"),
        (binary, "cannot be read"),
        (good.replace("0.131", "far"), "cannot read it"),
        (good.replace("Detector: Detector", "Detector: Nonsense"), "cannot read it"),
        (good.replace("Detector: Detector", "Detector: None"), "neither a detector"),
        (good.replace("Detector: Detector", "Detector: Cylindrical"), "flat"),
        (good.replace('{"pixel1"', '{"pixel9"'), "pixel"),
        (good.replace("Rot1: 0.0", "Rot1: 1.5608"), "89"),
        (good.replace("Rot1: 0.0", "Rot1: 2.0"), "from the front"),
        (good.replace("0.131", "-0.131"), "from the front"),
        (good.replace("0.131", "nan"), "from the front"),
        (good.replace("Poni1: 0.064156", "Poni1: nan"), "finite"),
        (good.replace("Parallax: False", "Parallax: True"), "parallax"),
        (good.replace("poni_version: 3", "poni_version: 9"), "cannot read it"),
    ]
    for source, text in cases:
        with pytest.raises(PoniError, match=text):
            from_poni(source)


def test_a_file_of_another_detector_is_refused() -> None:
    with pytest.raises(PoniError, match=r"172 x 172 µm.*12 x 12 µm"):
        from_poni(LAB6.to_poni(), pixel_size=(12e-6, 12e-6))


def test_no_tilt_has_no_direction() -> None:
    assert Poni.from_fit2d(0.2, (0.01, 0.02), 0.0, 77.0) == Poni(0.2, 0.01, 0.02, 0.0, 0.0, 0.0)
