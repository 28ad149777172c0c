"""Rings lie on pyFAI's q, are whole, and stay on the image."""

import dataclasses
import math
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree
from support.geometries import LAB6, TILTED, geometries, in_pyfai, numbers

from pipeline.diffraction.geometry import Geometry, calibrant_q


def points(ring: np.ndarray) -> np.ndarray:
    return ring[np.isfinite(ring[:, 0])]


def lie_on_pyfais_q(geometry: Geometry, q: float, ring: np.ndarray) -> None:
    """Check the distance to the curve: the difference in q over the gradient of q [pixel]."""
    pyfai = in_pyfai(geometry)
    y, x = points(ring).T

    def at(dy: float, dx: float) -> np.ndarray:
        return pyfai.qFunction(y + dy, x + dx) / 10

    step = 1e-3
    slope_y = (at(step, 0) - at(-step, 0)) / (2 * step)
    slope_x = (at(0, step) - at(0, -step)) / (2 * step)
    distance = np.abs(at(0, 0) - q) / np.hypot(slope_y, slope_x)
    assert distance.max() < 0.05


def are_whole(geometry: Geometry, q: float, ring: np.ndarray) -> None:
    """Check that the ring passes wherever the q of neighbouring pixels lies on both sides of it."""
    array = in_pyfai(geometry).center_array(geometry.shape, unit="q_A^-1")
    above = array > q
    across_y = np.argwhere(above[1:] != above[:-1]) + np.array([0.5, 0.0])
    across_x = np.argwhere(above[:, 1:] != above[:, :-1]) + np.array([0.0, 0.5])
    wanted = np.concatenate([across_y, across_x])
    if not len(wanted):
        return
    pieces = [
        start + np.linspace(0, 1, 2 + int(np.hypot(*(end - start))))[:, None] * (end - start)
        for start, end in pairwise(ring)
        if np.all(np.isfinite([start, end]))
    ]
    distance, _ = cKDTree(np.concatenate(pieces)).query(wanted)
    assert distance.max() < 1.1


@settings(max_examples=60, deadline=None)
@given(geometries(), numbers(0.001, 0.999))
def test_rings_of_any_geometry(geometry: Geometry, share: float) -> None:
    q = geometry.q_of_pixels()
    value = float(q.min() + share * (q.max() - q.min()))
    ring = geometry.ring(value)
    found = points(ring)
    assert len(found) > 1
    assert np.all((found >= 0) & (found <= np.array(geometry.shape) - 1.0))
    assert np.all(np.isfinite(ring[[0, -1]]))
    lie_on_pyfais_q(geometry, value, ring)
    are_whole(geometry, value, ring)


@pytest.mark.parametrize("geometry", [LAB6, TILTED, dataclasses.replace(LAB6, tilt=-60.0)])
def test_rings_lie_on_the_interpolated_q_array(geometry: Geometry) -> None:
    array = in_pyfai(geometry).center_array(geometry.shape, unit="q_A^-1")
    slope = np.hypot(*np.gradient(array))
    for q in calibrant_q("LaB6", geometry)[:20]:
        at = points(geometry.ring(float(q))).T
        off = map_coordinates(array, at, order=1) - q
        assert np.max(np.abs(off) / map_coordinates(slope, at, order=1)) < 0.05


def test_an_untilted_ring_is_a_circle() -> None:
    geometry = dataclasses.replace(LAB6, beam_x=700.5, beam_y=400.5)
    q = 4 * math.pi / (geometry.wavelength * 1e10) * math.sin(math.atan(200 * 172e-6 / 0.131) / 2)
    ring = geometry.ring(q)
    np.testing.assert_allclose(np.hypot(*(ring - [400.0, 700.0]).T), 200.0, rtol=1e-9)
    np.testing.assert_allclose(ring[0], ring[-1])


def test_a_ring_beyond_the_edges_comes_in_pieces() -> None:
    ring = dataclasses.replace(LAB6, beam_x=737.0, beam_y=415.0).ring(3.9)
    assert np.isnan(ring).all(axis=1).sum() == 1
    pieces = np.split(ring, np.flatnonzero(np.isnan(ring[:, 0])))
    assert {bool(piece[-1, 1] > 737) for piece in pieces} == {True, False}


@pytest.mark.parametrize("q", [0.0, -1.0, 1e-12, 9.0, 13.7, 50.0, math.nan, math.inf])
def test_a_q_that_is_not_on_the_detector_has_no_ring(q: float) -> None:
    assert dataclasses.replace(LAB6, beam_x=-50.0).ring(q).shape == (0, 2)


def test_a_parabola_and_the_plane_of_90_degrees() -> None:
    parabola = dataclasses.replace(LAB6, tilt=45.0)
    for geometry, two_theta in ((parabola, 45.0), (dataclasses.replace(LAB6, tilt=60.0), 90.0)):
        q = geometry.wave_number * math.sin(math.radians(two_theta / 2))
        ring = geometry.ring(q)
        if q < geometry.q_of_pixels().max():
            assert len(ring)
            lie_on_pyfais_q(geometry, q, ring)
            are_whole(geometry, q, ring)
        else:
            assert not len(ring)


def test_twenty_rings_take_a_moment() -> None:
    lines = np.linspace(0.5, 6.0, 20)
    LAB6.ring(1.0)
    times = []
    for _ in range(5):
        start = time.process_time()
        for q in lines:
            TILTED.ring(float(q))
        times.append(time.process_time() - start)
    assert min(times) < 0.1
