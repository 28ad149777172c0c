"""Azimuthal integration against pyFAI, and what may count in it."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from support.geometries import LAB6, PIXEL, TILTED, geometries, in_pyfai, numbers
from support.lab6 import CELL, GEOMETRY, standing_out
from support.recordings import Recording

from pipeline.diffraction.geometry import Geometry
from pipeline.diffraction.integration import Integrator
from pipeline.model.cameras import Unit
from pipeline.model.roi import Roi

SMALL = dataclasses.replace(LAB6, shape=(120, 150), beam_x=40.0, beam_y=70.0)
COARSE = [
    dataclasses.replace(
        geometry,
        shape=(415, 737),
        pixel_size=(2 * PIXEL, 2 * PIXEL),
        beam_x=geometry.beam_x / 2,
        beam_y=geometry.beam_y / 2,
    )
    for geometry in (LAB6, TILTED)
]
"""A whole Pilatus with pixels of twice the size."""


def image_of(geometry: Geometry, mean: float = 20.0, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, geometry.shape).astype(np.float64)


def compare(curve, theirs, tolerance: float) -> None:
    """Compare with a result of pyFAI, whose float32 tables put a few pixels into the next bin."""
    there = theirs.count > 1
    np.testing.assert_allclose(curve.q, theirs.radial, rtol=1e-5)
    np.testing.assert_array_equal(np.isnan(curve.intensity), theirs.count == 0)
    for mine, other in ((curve.intensity, theirs.intensity), (curve.errors, theirs.sem)):
        off = np.abs(mine[there] / other[there] - 1)
        assert np.median(off) < 1e-5
        assert np.quantile(off, 0.9) < tolerance


@pytest.mark.parametrize("geometry", COARSE)
@pytest.mark.parametrize("unit", [Unit.COUNTS, Unit.ADU, Unit.TOT])
def test_it_gives_what_pyfai_gives(geometry: Geometry, unit: str) -> None:
    image = image_of(geometry)
    image[50:65] = np.nan
    image[:, 350] = np.inf
    curve = Integrator().integrate(image, geometry, 600, unit)
    usable = np.nan_to_num(image, nan=0.0, posinf=0.0)
    pyfai = in_pyfai(geometry)
    # Its compiled engines sum the azimuthal variance in an approximate way, this one does not.
    theirs = pyfai.integrate1d(
        usable,
        600,
        unit="q_A^-1",
        method=("no", "csr", "python"),
        mask=~np.isfinite(image),
        radial_range=geometry_range(geometry),
        **({"variance": usable} if unit == Unit.COUNTS else {"error_model": "azimuthal"}),
    )
    compare(curve, theirs, 0.02)


@pytest.mark.parametrize("geometry", COARSE)
@pytest.mark.parametrize("factor", [0.99, 0.0, -0.7])
def test_dark_mask_and_polarisation_are_pyfais(geometry: Geometry, factor: float) -> None:
    random = np.random.default_rng(4)
    dark = random.normal(100, 5, geometry.shape)
    raw = random.poisson(40.0, geometry.shape) + dark
    mask = random.random(geometry.shape) < 0.05
    mask[100:120] = True
    image = np.where(mask, np.nan, raw - dark)
    curve = Integrator().integrate(image, geometry, 400, Unit.TOT, polarization=factor)
    theirs = in_pyfai(geometry).integrate1d(
        raw,
        400,
        unit="q_A^-1",
        method=("no", "histogram", "python"),
        mask=mask,
        dark=dark,
        polarization_factor=factor,
        correctSolidAngle=True,
        radial_range=geometry_range(geometry),
    )
    np.testing.assert_allclose(curve.q, theirs.radial, rtol=1e-5)
    # Its float32 tables put pixels at the rim of a bin into the next one.
    same = pixels_per_bin(geometry, 400, mask) == theirs.count
    off = np.abs(curve.intensity[same] / theirs.intensity[same] - 1)
    assert np.quantile(off, 0.5) < 1e-5
    # With the same pixels in each bin nothing differs.
    weight = np.bincount(bins_of(geometry, 400)[~mask], normalisation(geometry, factor)[~mask])
    signal = np.bincount(bins_of(geometry, 400)[~mask], image[~mask])
    np.testing.assert_allclose(curve.intensity, signal / weight, rtol=1e-5)


def normalisation(geometry: Geometry, factor: float) -> np.ndarray:
    pyfai = in_pyfai(geometry)
    return pyfai.solidAngleArray(geometry.shape) * pyfai.polarization(geometry.shape, factor)


def bins_of(geometry: Geometry, bins: int) -> np.ndarray:
    low, high = geometry_range(geometry)
    q = geometry.q_of_pixels()
    return np.minimum(((q - low) * (bins / (high - low))).astype(int), bins - 1)


def pixels_per_bin(geometry: Geometry, bins: int, mask: np.ndarray) -> np.ndarray:
    return np.bincount(bins_of(geometry, bins)[~mask], minlength=bins)


def test_pixels_that_some_frames_saw_count_for_these() -> None:
    random = np.random.default_rng(5)
    images = random.poisson(20.0, (4, *SMALL.shape)).astype(np.float64)
    seen = random.random(images.shape) < 0.7
    frames = seen.sum(axis=0)
    total = np.where(frames > 0, (images * seen).sum(axis=0), np.nan)
    share = (frames / 4).astype(np.float32)
    curve = Integrator().integrate(total, SMALL, 40, Unit.TOT, share_seen=share)
    whole = Integrator().integrate(images.sum(axis=0), SMALL, 40, Unit.TOT)
    there = whole.intensity > 0
    assert np.median(np.abs(curve.intensity / whole.intensity - 1)[there]) < 0.01
    wrong = Integrator().integrate(total, SMALL, 40, Unit.TOT)
    assert np.median(wrong.intensity[there] / whole.intensity[there]) == pytest.approx(
        0.7, abs=0.02
    )


def geometry_range(geometry: Geometry) -> tuple[float, float]:
    q = geometry.q_of_pixels()
    return float(q.min()), float(q.max())


@settings(max_examples=30, deadline=None)
@given(geometries(), numbers(0.1, 100.0))
def test_light_that_is_the_same_everywhere_gives_a_flat_curve(
    geometry: Geometry, level: float
) -> None:
    solid_angle = in_pyfai(geometry).solidAngleArray(geometry.shape)
    curve = Integrator().integrate(level * solid_angle, geometry, 50, Unit.ADU)
    there = np.isfinite(curve.intensity)
    assert there.any()
    np.testing.assert_allclose(curve.intensity[there], level, rtol=1e-4)


def test_poisson_errors_are_those_that_repetition_shows() -> None:
    integrator = Integrator()
    curves = [
        integrator.integrate(image_of(SMALL, 0.05, seed), SMALL, 40, Unit.COUNTS)
        for seed in range(300)
    ]
    spread = np.std([curve.intensity for curve in curves], axis=0, ddof=1)
    told = np.sqrt(np.mean([curve.errors**2 for curve in curves], axis=0))
    assert np.median(told / spread) == pytest.approx(1.0, abs=0.03)


def test_azimuthal_errors_are_those_that_repetition_shows() -> None:
    integrator = Integrator()
    noise = np.random.default_rng(3)
    curves = [
        integrator.integrate(noise.normal(5.0, 2.0, SMALL.shape), SMALL, 40, Unit.ADU)
        for _ in range(300)
    ]
    spread = np.std([curve.intensity for curve in curves], axis=0, ddof=1)
    told = np.mean([curve.errors for curve in curves], axis=0)
    assert np.median(told / spread) == pytest.approx(1.0, abs=0.03)


def test_masked_pixels_are_not_there() -> None:
    image = image_of(SMALL)
    spoiled = image.copy()
    spoiled[40:60, 20:90] = 1e9
    masked = image.copy()
    masked[40:60, 20:90] = spoiled[40:60, 20:90] = np.nan
    one = Integrator().integrate(masked, SMALL, 80, Unit.TOT)
    other = Integrator().integrate(spoiled, SMALL, 80, Unit.TOT)
    np.testing.assert_array_equal(one.intensity, other.intensity)
    nothing = Integrator().integrate(np.full(SMALL.shape, np.nan), SMALL, 80, Unit.TOT)
    assert np.isnan(nothing.intensity).all()
    assert np.isnan(nothing.errors).all()
    assert np.isfinite(nothing.q).all()


def test_only_the_region_counts() -> None:
    region = Roi(100, 10, 80, 60)
    image = image_of(SMALL)
    outside = image.copy()
    outside[:10] = outside[70:] = 1e9
    outside[:, :100] = 1e9
    inside = Integrator().integrate(
        image[10:70, 100:150], SMALL.cut(slice(10, 70), slice(100, 150)), 30, Unit.COUNTS
    )
    for whole in (image, outside):
        curve = Integrator().integrate(whole, SMALL, 30, Unit.COUNTS, region)
        np.testing.assert_allclose(curve.q, inside.q, rtol=1e-12)
        np.testing.assert_allclose(curve.intensity, inside.intensity, rtol=1e-12)
    assert not len(Integrator().integrate(image, SMALL, 30, Unit.COUNTS, Roi(500, 0, 5, 5)).q)


def test_a_bin_of_one_pixel_has_no_scatter() -> None:
    curve = Integrator().integrate(
        np.ones((1, 3)), dataclasses.replace(SMALL, shape=(1, 3)), 3, Unit.ADU
    )
    assert np.isfinite(curve.intensity).any()
    assert np.isnan(curve.errors[np.isfinite(curve.intensity)]).any()
    assert (
        len(
            Integrator()
            .integrate(np.ones((1, 1)), dataclasses.replace(SMALL, shape=(1, 1)), 5, Unit.ADU)
            .q
        )
        == 5
    )


def test_zero_bins_switch_it_off() -> None:
    assert not len(Integrator().integrate(image_of(SMALL), SMALL, 0, Unit.ADU).q)


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.float32, np.int32])
def test_any_dtype_gives_the_same(dtype: type) -> None:
    image = image_of(SMALL)
    one = Integrator().integrate(image, SMALL, 50, Unit.ADU)
    other = Integrator().integrate(image.astype(dtype), SMALL, 50, Unit.ADU)
    np.testing.assert_allclose(one.intensity, other.intensity, rtol=1e-12)


def test_sums_beyond_float32_are_exact() -> None:
    image = np.full(SMALL.shape, 2**40 + 1, np.int64)
    image[::2] = 2**40 - 1
    curve = Integrator().integrate(image, SMALL, 1, Unit.COUNTS)
    weight = in_pyfai(SMALL).solidAngleArray(SMALL.shape).astype(np.float64).sum()
    assert curve.intensity[0] == pytest.approx(2.0**40 * image.size / weight, rel=1e-7)


def test_a_new_mask_needs_no_new_table_but_a_new_geometry_does() -> None:
    integrator = Integrator()
    image = image_of(SMALL)
    first = integrator.integrate(image, SMALL, 50, Unit.ADU)
    image[5:9] = np.nan
    assert integrator.integrate(image, SMALL, 50, Unit.ADU).q is first.q
    farther = dataclasses.replace(SMALL, distance=0.2)
    assert integrator.integrate(image, farther, 50, Unit.ADU).q[-1] < first.q[-1]
    np.testing.assert_array_equal(integrator.integrate(image, SMALL, 50, Unit.ADU).q, first.q)


def test_a_geometry_of_another_image_is_refused() -> None:
    with pytest.raises(ValueError, match="geometry"):
        Integrator().integrate(np.zeros((5, 5)), SMALL, 50, Unit.ADU)


def test_the_lines_of_the_recorded_lab6_stand_out(lab6: Recording) -> None:
    geometry = dataclasses.replace(LAB6, **GEOMETRY)
    curve = Integrator().integrate(lab6.sum, geometry, 1000, Unit.TOT)
    arrays = (curve.q, curve.intensity, curve.errors)
    assert standing_out(*arrays) >= 14
    for wrong in (0.97, 1.03):
        assert standing_out(*arrays, cell=wrong * CELL) <= 6
