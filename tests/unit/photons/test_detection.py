"""The kernel, hit for hit against the reference."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.photon_reference import as_arrays, reference_photons

from pipeline.frames.levels import subtracted
from pipeline.model.roi import Roi
from pipeline.photons.detection import clean_image, clean_pixels, find_photons, warm_up
from pipeline.photons.detection_kernel import first_above
from pipeline.protocols.batch import PhotonFrame, PhotonList

LIMITS = {
    "background": 100.0,
    "photon_threshold": 110.0,
    "energy_threshold": 300.0,
    "pileup_threshold": 1400.0,
    "hot_pixel_ratio": 0.9,
}
EVERYWHERE = Roi(-10, -10, 10_000, 10_000)


def find(
    image: np.ndarray,
    roi: Roi = EVERYWHERE,
    level: np.ndarray | None = None,
    **changes: float,
) -> PhotonFrame:
    limits = {**LIMITS, "max_hit_density": 1.0, **changes}
    return find_photons(image, roi=roi, level=level, **limits)


def columns(photons: PhotonList) -> np.ndarray:
    assert photons.flags.dtype == np.uint8
    return np.stack([photons.y, photons.x, photons.energy, photons.flags], axis=1)


def check(image: np.ndarray, roi: Roi = EVERYWHERE, **changes: float) -> PhotonFrame:
    """Compare with the reference, and return what was found."""
    found = find(image, roi, **changes)
    expected, density = reference_photons(image, roi=roi, **{**LIMITS, **changes})
    assert np.array_equal(found.density, density, equal_nan=True)
    assert not found.skipped
    assert columns(found.photons).dtype == np.float32
    np.testing.assert_array_equal(columns(found.photons), as_arrays(expected).astype(np.float32))
    return found


def dark(ny: int = 9, nx: int = 9, dtype: type = np.uint16) -> np.ndarray:
    return np.full((ny, nx), 100, dtype)


def draw(image: np.ndarray, y: int, x: int, height: float = 500.0) -> np.ndarray:
    """Add a photon of 3x3 pixels; what lies beyond the image is lost."""
    shares = np.outer([0.2, 1.0, 0.2], [0.2, 1.0, 0.2]) * height
    for dy in range(3):
        for dx in range(3):
            at = y + dy - 1, x + dx - 1
            if 0 <= at[0] < image.shape[0] and 0 <= at[1] < image.shape[1]:
                image[at] += image.dtype.type(shares[dy, dx])
    return image


rois = st.builds(
    Roi, st.integers(-4, 12), st.integers(-4, 12), st.integers(1, 20), st.integers(1, 20)
)
shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)


def images(values: st.SearchStrategy) -> st.SearchStrategy:
    return hnp.arrays(np.uint16, shapes, elements=values)


@given(images(st.integers(0, 65535)), rois)
@settings(deadline=None)
def test_random_images(image, roi):
    check(image, roi)


@given(images(st.sampled_from([100, 150, 211, 212, 400])), rois, st.sampled_from([0.3, 0.9, 1.0]))
@example(np.full((5, 5), 400, np.uint16), EVERYWHERE, 0.9)
@settings(deadline=None)
def test_images_full_of_ties(image, roi, ratio):
    check(image, roi, hot_pixel_ratio=ratio)


@given(images(st.sampled_from([0, 100, 65534, 65535])), rois)
@settings(deadline=None)
def test_saturated_images(image, roi):
    check(image, roi)


@given(st.integers(1, 3), st.integers(1, 3), st.data())
@settings(deadline=None)
def test_tiny_images(ny, nx, data):
    image = data.draw(hnp.arrays(np.uint16, (ny, nx), elements=st.integers(0, 3000)))
    found = check(image)
    if min(ny, nx) < 3:
        assert len(found.photons) == 0


@given(st.integers(0, 2**32 - 1), st.integers(100, 500), st.integers(0, 300))
@settings(deadline=None, max_examples=25)
def test_rows_longer_than_a_block(seed, nx, x):
    """Blocks and what is left of a row behind the last whole one."""
    rng = np.random.default_rng(seed)
    image = dark(8, nx)
    hot = rng.random(image.shape) < 0.05
    image[hot] += rng.integers(0, 2000, int(hot.sum())).astype(np.uint16)
    check(image, Roi(x, 1, int(rng.integers(1, 400)), 6))


@given(
    st.floats(0, 500), st.floats(0, 3000), st.floats(0, 300, width=32), st.integers(0, 2**32 - 1)
)
@settings(deadline=None)
def test_any_thresholds_and_background(photon_threshold, energy_threshold, background, seed):
    image = np.random.default_rng(seed).integers(0, 900, (10, 12)).astype(np.uint16)
    check(
        image,
        photon_threshold=photon_threshold,
        energy_threshold=energy_threshold,
        background=background,
    )


@pytest.mark.parametrize("ny, nx", [(0, 0), (0, 5), (5, 0), (1, 1), (2, 2), (3, 3)])
def test_empty_and_smallest_images(ny, nx):
    check(dark(ny, nx))


def test_one_photon():
    found = check(draw(dark(), 4, 5))
    assert columns(found.photons).tolist() == [[4.0, 5.0, 980.0, 0]]
    assert found.density == 1 / 81


@pytest.mark.parametrize("y, x", [(0, 4), (8, 4), (4, 0), (4, 8), (0, 0), (8, 8)])
def test_the_outermost_ring_has_no_hits(y, x):
    assert len(check(draw(dark(), y, x)).photons) == 0


@pytest.mark.parametrize("y, x", [(1, 1), (1, 4), (7, 7), (4, 1), (7, 4)])
def test_hits_beside_the_outermost_ring_are_whole(y, x):
    assert columns(check(draw(dark(), y, x)).photons).tolist() == [[y, x, 980.0, 4]]


def test_two_hits_that_share_pixels_are_both_listed_with_too_much_energy():
    image = draw(draw(dark(), 4, 3, 700), 4, 5, 700)
    found = check(image)
    assert found.photons.x.round().tolist() == [3, 5]
    assert (found.photons.energy > 1400).all()
    assert found.photons.flags.tolist() == [3, 3]
    assert found.photons.falsified.all()


@pytest.mark.parametrize("dy", range(4))
@pytest.mark.parametrize("dx", range(-3, 4))
def test_hits_at_most_two_pixels_apart_overlap(dy, dx):
    if max(dy, abs(dx)) < 2:
        return  # one hit
    image = draw(draw(dark(16, 16), 5, 7, 300), 5 + dy, 7 + dx, 310)
    flags = check(image).photons.flags.tolist()
    assert flags == [int(max(dy, abs(dx)) == 2)] * 2


def test_hits_in_a_dense_image_overlap_as_the_reference_says():
    image = np.random.default_rng(3).integers(90, 500, (60, 70)).astype(np.uint16)
    flags = check(image, Roi(3, 5, 60, 50)).photons.flags
    assert {1, 3, 5, 7} & set(flags.tolist())
    assert len(flags) > 200


def test_hits_at_opposite_sides_of_the_image_do_not_overlap():
    image = draw(draw(draw(dark(), 3, 7), 4, 1), 5, 7)
    assert check(image).photons.flags.tolist() == [5, 4, 5]


def test_what_the_border_hides_is_flagged():
    """Each photon that a hit outside of the ROI could overlap has the flag of the border."""
    rng = np.random.default_rng(4)
    image = rng.integers(90, 500, (40, 40)).astype(np.uint16)
    whole = check(image).photons
    part = check(image, Roi(10, 12, 15, 17)).photons
    inside = {(y, x): flags for y, x, _, flags in columns(whole).tolist()}
    hidden = 0
    for y, x, _, flags in columns(part).tolist():
        missed = int(inside[y, x]) & 1 and not int(flags) & 1
        hidden += missed
        assert not missed or int(flags) & 4
    assert hidden


def test_a_plateau_is_one_hit_its_first_pixel():
    image = dark()
    image[4, 3:6] = 400
    image[5, 3:6] = 400
    found = check(image)
    assert len(found.photons) == 1
    assert found.photons.energy[0] == 1200  # the window of (4, 3) misses the last column
    image = dark()
    image[2:7, 2:7] = 400
    assert len(check(image).photons) == 1


def test_a_saturated_plateau_of_every_size_is_one_hit_at_most():
    for height in range(1, 6):
        for width in range(1, 6):
            image = dark(12, 12)
            image[3 : 3 + height, 3 : 3 + width] = 65535
            assert len(check(image, hot_pixel_ratio=1.0).photons) == 1


def test_a_single_hot_pixel_is_no_photon():
    image = dark()
    image[4, 4] = 1300
    assert len(check(image).photons) == 0
    assert len(check(image, hot_pixel_ratio=1.0).photons) == 1


def test_ratio_1_also_keeps_hits_with_negative_neighbours():
    image = dark()
    image[4, 4], image[4, 5] = 1300, 50
    assert len(check(image, hot_pixel_ratio=1.0).photons) == 1


def test_the_roi_limits_centres_and_windows_read_beyond_it():
    image = draw(draw(dark(), 4, 3), 4, 6)
    found = check(image, Roi(3, 4, 1, 1))
    assert columns(found.photons).tolist() == [[4.0, 3.0, 980.0, 4]]
    assert found.density == 1.0


def test_a_photon_whose_top_lies_outside_of_the_roi_is_not_found_at_its_rim():
    assert len(check(draw(dark(), 4, 4), Roi(5, 0, 4, 9)).photons) == 0


def test_a_roi_outside_of_the_image_has_no_density():
    found = find(draw(dark(), 4, 4), Roi(50, 50, 5, 5))
    assert len(found.photons) == 0
    assert math.isnan(found.density)
    assert not found.skipped


def test_thresholds_are_strict():
    image = draw(dark(), 4, 4)  # hottest 500, sum 980
    assert len(check(image, photon_threshold=500.0).photons) == 0
    assert len(check(image, photon_threshold=499.0).photons) == 1
    assert len(check(image, energy_threshold=980.0).photons) == 0
    assert len(check(image, energy_threshold=979.0).photons) == 1
    assert len(check(image, hot_pixel_ratio=500 / 980).photons) == 1
    assert find(image, pileup_threshold=980.0).photons.flags.tolist() == [0]
    assert find(image, pileup_threshold=979.0).photons.flags.tolist() == [2]


def test_a_pixel_exactly_at_the_default_threshold_is_no_candidate():
    image = dark()
    image[3:6, 3:6] = 210
    assert len(check(image).photons) == 0
    image[4, 4] = 211
    assert len(check(image).photons) == 1


def test_energy_is_signed():
    image = draw(dark(), 4, 4)
    image[3, 3] = 80
    assert check(image).photons.energy[0] == 980 - 20 - 20


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


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 39), max_size=4))
@settings(deadline=None)
def test_tiles_put_together_equal_the_whole(seed, cuts):
    image = np.random.default_rng(seed).integers(90, 500, (40, 40)).astype(np.uint16)
    whole = find(image, Roi(0, 0, 40, 40))
    edges = sorted({0, 40, *cuts})
    tiles = [
        find(image, Roi(x0, y0, x1 - x0, y1 - y0))
        for y0, y1 in pairwise(edges)
        for x0, x1 in pairwise(edges)
    ]
    together = np.concatenate([columns(tile.photons)[:, :3] for tile in tiles])
    expected = columns(whole.photons)[:, :3]

    def in_order(a):
        return a[np.lexsort(a.T)]

    np.testing.assert_array_equal(in_order(together), in_order(expected))
    piled_up = [np.count_nonzero(tile.photons.flags & 2) for tile in tiles]
    assert sum(piled_up) == np.count_nonzero(whole.photons.flags & 2)


@given(st.integers(0, 2**32 - 1), st.integers(0, 20), st.integers(0, 200))
@settings(deadline=None)
def test_a_shifted_image_gives_shifted_photons(seed, dy, dx):
    part = np.random.default_rng(seed).integers(90, 500, (12, 12)).astype(np.uint16)
    here, there = dark(40, 240), dark(40, 240)
    here[3:15, 3:15] = part
    there[3 + dy : 15 + dy, 3 + dx : 15 + dx] = part
    a, b = columns(find(here).photons), columns(find(there).photons)
    a[:, 3], b[:, 3] = a[:, 3] % 4, b[:, 3] % 4
    np.testing.assert_allclose(b, a + np.array([dy, dx, 0, 0]), atol=2e-5, rtol=0)


def test_a_frame_above_the_density_is_skipped_and_its_density_true():
    image = dark(100, 300)
    image[::4, ::3] = 1000
    found = find(image, max_hit_density=0.01)
    assert found.skipped
    assert len(found.photons) == 0
    assert found.density == 2500 / 30000
    assert not find(image, max_hit_density=2500 / 30000).skipped
    assert find(image, max_hit_density=np.nextafter(2500 / 30000, 0)).skipped


def test_density_0_refuses_the_first_pixel():
    assert find(draw(dark(), 4, 4), max_hit_density=0.0).skipped
    assert not find(dark(), max_hit_density=0.0).skipped


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.uint64, np.int64])
@given(background=st.floats(0, 65535), threshold=st.floats(0, 65535))
def test_first_value_above_integers(dtype, background, threshold):
    first = first_above(np.dtype(dtype), background, threshold)
    if first is None:
        assert float(np.iinfo(dtype).max) - background <= threshold
        return
    assert float(first) - background > threshold
    if first > np.iinfo(dtype).min:
        assert float(int(first) - 1) - background <= threshold


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(background=st.floats(0, 65535), threshold=st.floats(0, 65535))
def test_first_value_above_floats(dtype, background, threshold):
    first = first_above(np.dtype(dtype), background, threshold)
    assert first is not None
    assert float(first) - background > threshold
    assert float(np.nextafter(first, dtype(-np.inf))) - background <= threshold


def photon_list(*photons: tuple[float, float, float]) -> PhotonList:
    return PhotonList(
        *np.array(photons, np.float32).reshape(-1, 3).T, np.zeros(len(photons), np.uint8)
    )


def test_positions_are_rounded_not_cut():
    photons = photon_list((1.5, 2.49, 1200), (1.49, 2.5, 1200), (1.5, 2.49, 1200), (3, 3, 1100))
    image = clean_image(photons, 1100, (5, 5))
    assert image.dtype == np.uint32
    assert image[2, 2] == 2
    assert image[1, 3] == 1
    assert image.sum() == 3
    assert clean_pixels(photons, 1100, (5, 5)).tolist() == [12, 8, 12]
    assert clean_pixels(photons, 1100, (5, 5)).dtype == np.int64


def test_the_largest_float_below_a_half_is_not_rounded_up():
    below = np.nextafter(np.float32(0.5), np.float32(0))
    assert clean_pixels(photon_list((below, 1, 1200)), 0, (5, 5)).tolist() == [1]


def test_a_photon_at_the_rim_is_drawn_inside_of_the_roi():
    photons = photon_list((3.0, 1.4, 1200), (6.6, 4.0, 1200))
    image = clean_image(photons, 0, (9, 9), Roi(2, 3, 4, 4))
    assert image[3, 2] == 1
    assert image[6, 4] == 1
    assert image.sum() == 2
    assert clean_pixels(photons, 0, (9, 9), Roi(20, 3, 4, 4)).tolist() == []


@given(st.integers(0, 2**32 - 1), rois)
@settings(deadline=None)
def test_the_clean_image_has_each_photon_and_is_zero_outside_of_the_roi(seed, roi):
    image = np.random.default_rng(seed).integers(90, 700, (14, 14)).astype(np.uint16)
    photons = find(image, roi).photons
    clean = clean_image(photons, 1100, (14, 14), roi)
    assert clean.sum() == np.count_nonzero(photons.energy > 1100)
    part = roi.slices((14, 14))
    if part is not None:
        clean[part] = 0
    assert not clean.any()
