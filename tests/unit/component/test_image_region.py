import io

import numpy as np
import pytest

from femtotango.component.image_region import as_npy, parse_region
from femtotango.errors import BadRequest


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
