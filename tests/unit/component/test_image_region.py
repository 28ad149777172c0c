import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtotango.component.image_region import as_npy, bin_blocks, parse_region
from femtotango.errors import BadRequest


def slow_blocks(image, binning, reduce):
    return np.array(
        [
            [
                reduce(image[y : y + binning, x : x + binning])
                for x in range(0, image.shape[1], binning)
            ]
            for y in range(0, image.shape[0], binning)
        ]
    )


@given(
    st.tuples(st.integers(1, 13), st.integers(1, 13)),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
)
def test_means_and_maxima_of_blocks_incomplete_ones_included(shape, binning, seed):
    image = np.random.default_rng(seed).integers(0, 99, shape).astype(float)
    np.testing.assert_allclose(
        bin_blocks(image, binning, maximum=False), slow_blocks(image, binning, np.mean), rtol=1e-6
    )
    np.testing.assert_array_equal(
        bin_blocks(image, binning, maximum=True), slow_blocks(image, binning, np.max)
    )


def test_masked_pixels_are_left_out_and_a_masked_block_is_masked():
    image = np.array([[1.0, np.nan, np.nan, np.nan], [3.0, 5.0, np.nan, np.nan]])
    np.testing.assert_array_equal(bin_blocks(image, 2, maximum=False), [[3.0, np.nan]])
    np.testing.assert_array_equal(bin_blocks(image, 2, maximum=True), [[5.0, np.nan]])
    assert bin_blocks(image, 1, maximum=True).dtype == np.float32


def test_a_region_is_cut_to_the_image():
    region = parse_region([-5, 8, 10, 10, 2], (12, 20))
    assert (region.y, region.x, region.binning) == (slice(8, 12), slice(0, 5), 2)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([1, 2, 3, 4], "4 numbers"),
        ([0, 0, 0, 5, 1], "width 0"),
        ([0, 0, 5, -1, 1], "height -1"),
        ([0, 0, 5, 5, 0], "binning = 0"),
        ([0, 0, 5, 5, 100_000], "binning = 100000"),
        ([20, 0, 5, 5, 1], "outside of the image, which is 20 wide and 12 high"),
    ],
)
def test_impossible_regions_are_refused(numbers, said):
    with pytest.raises(BadRequest, match=said):
        parse_region(numbers, (12, 20))


def test_bytes_are_a_npy_file():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(np.load(io.BytesIO(as_npy(array))), array)
