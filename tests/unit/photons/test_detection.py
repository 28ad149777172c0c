"""The kernel, hit for hit against the reference."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.photon_detection import (
    EVERYWHERE,
    check,
    columns,
    dark,
    draw,
    find,
    rois,
    shapes,
)

from pipeline.model.roi import Roi


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
