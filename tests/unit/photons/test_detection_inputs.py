"""Images of any type and memory layout, with NaN, and with a level to subtract."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.photon_detection import EVERYWHERE, LIMITS, check, columns, dark, draw, find, rois
from support.photon_reference import reference_photons

from pipeline.frames.levels import subtracted
from pipeline.model.roi import Roi
from pipeline.photons.detection import warm_up


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">f4"]
)
def test_any_dtype_gives_the_same(dtype):
    small = np.random.default_rng(1).integers(0, 100, (20, 30))
    limits = {"background": 10.0, "photon_threshold": 20.0, "energy_threshold": 200.0}
    expected = check(small.astype(np.uint16), **limits)
    assert len(expected.photons) > 10
    found = check(small.astype(dtype), **limits)
    np.testing.assert_array_equal(columns(found.photons), columns(expected.photons))
    assert found.density == expected.density


@pytest.mark.parametrize("change", [lambda a: a[::-1], lambda a: a.T, lambda a: a[::2, ::3]])
def test_any_memory_layout(change):
    image = np.random.default_rng(2).integers(90, 900, (20, 30)).astype(np.uint16)
    check(change(image))


def test_read_only_images():
    image = draw(dark(), 4, 4)
    image.flags.writeable = False
    assert len(check(image).photons) == 1
    warm_up()


def test_booleans_count_as_0_and_1():
    image = np.zeros((5, 5), bool)
    image[2, 2] = image[2, 3] = True
    limits = {"background": 0.0, "photon_threshold": 0.5, "energy_threshold": 1.0}
    assert columns(find(image, **limits).photons).tolist() == [[2.0, 2.5, 2.0, 0]]


@given(hnp.arrays(np.float32, (8, 8), elements=st.floats(width=32, allow_nan=True)), rois)
@settings(deadline=None)
def test_floats_with_nan_and_infinity(image, roi):
    found = find(image, roi)
    values = columns(found.photons).astype(np.float64)
    assert not np.isnan(values).any()
    expected, density = reference_photons(image, roi=roi, **LIMITS)
    assert [photon[3] for photon in expected] == values[:, 3].tolist()
    assert np.array_equal(found.density, density, equal_nan=True)


def test_a_window_with_nan_is_no_photon_and_its_neighbours_stay():
    image = draw(draw(dark(9, 20, np.float32), 4, 4), 4, 12)
    image[3, 3] = np.nan
    assert check(image).photons.x.tolist() == [12.0]


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4", "f8", ">u2"])
@pytest.mark.parametrize("roi", [EVERYWHERE, Roi(3, 5, 40, 9), Roi(100, 1, 520, 30)])
@pytest.mark.parametrize("most", [1.0, 0.01])
def test_a_level_is_subtracted_while_photons_are_found(dtype, roi, most):
    rng = np.random.default_rng(3)
    image = rng.integers(90, 250, (30, 700)).astype(dtype)
    level = (np.round(64 * rng.normal(150, 30, image.shape)) / 64).astype(np.float32)
    level[rng.random(image.shape) < 0.02] = np.inf
    level[2, 3] = np.nan
    in_two_steps = image.astype(np.uint16) if image.dtype == np.dtype(">u2") else image
    whole = in_two_steps if dtype in ("u2", ">u2", "f4") else in_two_steps.astype(np.float64)
    limits = {"energy_threshold": 200.0, "max_hit_density": most}
    expected = find(subtracted(whole, level), roi, background=0.0, photon_threshold=20.0, **limits)
    found = find(image, roi, level=level, photon_threshold=20.0, **limits)
    assert (found.density, found.skipped) == (expected.density, expected.skipped)
    assert len(found.photons) > 3 or found.skipped
    np.testing.assert_array_equal(columns(found.photons), columns(expected.photons))


def test_other_images_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        find(np.zeros(3, np.uint16))
    with pytest.raises(TypeError, match="complex"):
        find(np.zeros((3, 3), complex))
