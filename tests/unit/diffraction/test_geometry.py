"""Geometry: q of pixels as pyFAI has it, settings, calibrants."""

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from support.geometries import LAB6, TILTED, geometries, in_pyfai

from pipeline.diffraction.geometry import (
    Geometry,
    GeometryError,
    calibrant_q,
    from_settings,
    missing,
)
from pipeline.model.parameters import Settings


@settings(max_examples=50, deadline=None)
@given(geometries())
def test_q_is_that_of_pyfai(geometry: Geometry) -> None:
    theirs = in_pyfai(geometry).center_array(geometry.shape, unit="q_A^-1")
    np.testing.assert_allclose(geometry.q_of_pixels(), theirs, rtol=1e-9, atol=1e-11 * theirs.max())


@settings(max_examples=50, deadline=None)
@given(geometries())
def test_a_part_of_the_image_has_the_same_q(geometry: Geometry) -> None:
    ny, nx = geometry.shape
    rows, columns = slice(ny // 3, ny), slice(nx // 2, nx)
    part = geometry.cut(rows, columns)
    np.testing.assert_allclose(
        part.q_of_pixels(), geometry.q_of_pixels()[rows, columns], rtol=1e-9, atol=1e-12
    )


def test_the_beam_is_counted_from_the_corner_of_the_first_pixel() -> None:
    geometry = dataclasses.replace(LAB6, beam_x=210.5, beam_y=373.5)
    assert geometry.q_of_pixels()[373, 210] == 0.0


def test_what_is_not_set_is_named() -> None:
    assert missing(Settings()) == "PhotonEnergy and Distance are not set."
    assert missing(Settings(photon_energy=13.5)) == "Distance is not set."
    assert missing(Settings(photon_energy=13.5, distance=0.1)) == ""
    assert from_settings(Settings(distance=0.1), (1e-4, 1e-4), (5, 6)) is None


def test_settings_give_the_geometry() -> None:
    values = Settings(
        photon_energy=13.5, distance=0.131, tilt=25.0, rotation=40.0, beam_x=210.0, beam_y=373.0
    )
    size = np.array([172e-6, 172e-6])
    assert from_settings(values, (size[0], size[1]), (831, 1475)) == TILTED


@pytest.mark.parametrize(
    "change", [{"photon_energy": 0.0}, {"distance": -1.0}, {"tilt": 90.0}, {"shape": (0, 5)}]
)
def test_impossible_geometries_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(GeometryError):
        dataclasses.replace(LAB6, **change)


def test_a_used_geometry_equals_a_new_one_and_travels() -> None:
    used = dataclasses.replace(LAB6)
    used.ring(2.0)
    assert used == LAB6
    assert hash(used) == hash(LAB6)
    assert pickle.loads(pickle.dumps(used)) == LAB6


def test_calibrant_lines_are_those_on_the_detector() -> None:
    q = calibrant_q("lab6", LAB6)
    assert q[0] == pytest.approx(2 * np.pi / 4.156826)
    assert np.all(np.diff(q) > 0)
    assert all(len(LAB6.ring(value)) for value in q)
    far = calibrant_q("LaB6", dataclasses.replace(LAB6, distance=0.6))
    assert 0 < len(far) < len(q)
    beside = calibrant_q("LaB6", dataclasses.replace(LAB6, beam_x=-900.0))
    assert beside[0] > q[0]


def test_an_unknown_calibrant_is_answered_with_close_names() -> None:
    with pytest.raises(GeometryError, match=r"LaB7.*LaB6"):
        calibrant_q("LaB7", LAB6)
    with pytest.raises(GeometryError, match="CeO2"):
        calibrant_q("", LAB6)
