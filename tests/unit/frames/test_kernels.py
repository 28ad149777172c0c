"""CMOS, ROI means and previews against their plain numpy form."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.repeats import repeats

from pipeline.frames.binning import Blocks, bin_blocks, full_image, preview_binning
from pipeline.frames.counting import add_counting, is_masked
from pipeline.frames.levels import level_for_sums, level_of
from pipeline.frames.pixel_bits import words_of
from pipeline.frames.read_only import read_only
from pipeline.frames.roi_statistics import (
    cmos_statistics,
    counting_statistics,
    sparse_statistics,
)
from pipeline.frames.sparse import take_filled
from pipeline.frames.summing import add_cmos, subtract_and_threshold, sum_dtype
from pipeline.model.roi import Roi
from pipeline.model.roi_statistics import STATISTICS

DTYPES = ["uint16", "int16", "float32", "uint8", "uint32", "int64", "float64"][: repeats(3, 7)]
"""Each is compiled for itself; tests/pipeline/test_exact_sums.py sums frames of all of them."""
MEAN = STATISTICS.index("mean")
WARM_UP = settings(deadline=None, max_examples=60)


def plain_cmos(image: np.ndarray, background: float, threshold: float) -> np.ndarray:
    out = image.astype(float) - background
    out[~(out > threshold)] = 0
    return out


@WARM_UP
@given(
    st.sampled_from(DTYPES),
    st.sampled_from([0.0, 100.0, 100.5]),
    st.sampled_from([0.0, 12.0, 12.5]),
    st.integers(0, 2**16),
)
def test_cmos_is_plain_arithmetic(
    dtype: str, background: float, threshold: float, seed: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 127, (7, 9)).astype(dtype)
    expected = plain_cmos(image, background, threshold)
    np.testing.assert_array_equal(subtract_and_threshold(image, background, threshold), expected)
    total = np.ones((7, 9), sum_dtype(image.dtype, background))
    add_cmos(total, image, background, threshold)
    np.testing.assert_array_equal(total, 1 + expected)
    level = level_for_sums(level_of(None, None, background, image.shape))
    np.testing.assert_array_equal(subtract_and_threshold(image, level, threshold), expected)
    rois = [Roi(2, 1, 3, 4), Roi(-2, -2, 4, 4), Roi(50, 50, 2, 2)]
    means = cmos_statistics(read_only(image), rois, background, threshold)[:, MEAN]
    np.testing.assert_allclose(means[:2], [expected[1:5, 2:5].mean(), expected[:2, :2].mean()])
    assert np.isnan(means[2])


@pytest.mark.parametrize("dark", [100.0, 100.5])
def test_every_pixel_of_a_wide_frame_is_added_above_its_own_level(dark: float) -> None:
    rng = np.random.default_rng(1)
    image = np.full((5, 700), 100, np.uint16)
    image[rng.random(image.shape) < 0.003] = 500
    image[0] = 500
    masked = rng.random(image.shape) < 0.3
    level = level_of(np.full(image.shape, dark), masked, 0.0, image.shape)
    expected = 1 + np.where(masked, 0, plain_cmos(image, dark, 12.0))
    total = np.ones(image.shape, sum_dtype(image.dtype, dark))
    add_cmos(total, image, level_for_sums(level), 12.0)
    np.testing.assert_array_equal(total, expected)


def test_a_saturated_pixel_stays_what_it_is() -> None:
    image = np.full((2, 2), 65535, np.uint16)
    assert subtract_and_threshold(image, 0.0, 12.0).max() == 65535
    assert subtract_and_threshold(image, 100.0, 12.0).max() == 65435


@WARM_UP
@given(
    st.sampled_from(["float32", "float64", "int32"]),
    st.sampled_from([(8, 13), (8, 16), (3, 5), (150, 201)]),
    st.integers(0, 2**16),
)
def test_masked_pixels_are_in_no_mean_and_no_sum(
    dtype: str, shape: tuple[int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(-3, 10, shape).astype(dtype)
    if dtype != "int32":
        image[rng.random(shape) < 0.1] = np.nan
        image[rng.random(shape) < 0.1] = np.inf
        image[rng.random(shape) < 0.1] = -0.0
    good = np.isfinite(image) & (image >= 0)
    np.testing.assert_array_equal(is_masked(image) == 0, good)
    expected_masked = np.where(rng.random(shape) < 0.2, good, ~good)
    total, odd = np.zeros(shape, sum_dtype(image.dtype)), np.zeros(shape, np.uint16)
    found = add_counting(total, words_of(expected_masked), odd, read_only(image))
    np.testing.assert_array_equal(odd, expected_masked == good)
    assert found == odd.sum()
    np.testing.assert_array_equal(total, np.where(good, image, 0))
    mean = counting_statistics(read_only(image), [Roi(0, 0, shape[1], shape[0])])[0, MEAN]
    expected = image[good].mean() if good.any() else np.nan
    np.testing.assert_allclose(mean, expected, rtol=1e-6)


@pytest.mark.parametrize("size", [5, 4096, 10_000])
@pytest.mark.parametrize("dtype", ["float64", "uint32", "int64"])
def test_filled_pixels_are_taken_out_unless_they_are_too_many(size: int, dtype: str) -> None:
    image = np.zeros((1, size), dtype)
    filled = np.unique(np.random.default_rng(size).integers(0, size, size // 3 + 1))
    image[0, filled] = filled + 1
    before = image.copy()
    assert take_filled(image, len(filled) - 1) is None
    np.testing.assert_array_equal(image, before)
    taken = take_filled(image, len(filled))
    assert taken is not None
    np.testing.assert_array_equal(taken[0], filled)
    np.testing.assert_array_equal(taken[1], filled + 1)
    assert taken[1].dtype == image.dtype
    assert not image.any()


def test_sparse_means_are_those_of_the_drawn_image() -> None:
    rng = np.random.default_rng(4)
    index = rng.integers(0, 30 * 40, 200)
    image = np.bincount(index, minlength=1200).reshape(30, 40)
    rois = [Roi(0, 0, 40, 30), Roi(3, 4, 5, 6), Roi(35, 25, 10, 10), Roi(100, 0, 1, 1)]
    means = sparse_statistics(index, (30, 40), rois)[:, MEAN]
    np.testing.assert_allclose(
        means[:3], [image.mean(), image[4:10, 3:8].mean(), image[25:, 35:].mean()]
    )
    assert np.isnan(means[3])


@WARM_UP
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**16))
def test_blocks_keep_every_valid_pixel(ny: int, nx: int, binning: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 1000, (ny, nx))
    good = rng.random((ny, nx)) < 0.8
    preview = bin_blocks(image, binning, good)
    masked = np.where(good, image.astype(float), np.nan)
    for by in range(preview.mean.shape[0]):
        for bx in range(preview.mean.shape[1]):
            block = masked[by * binning : (by + 1) * binning, bx * binning : (bx + 1) * binning]
            if np.isnan(block).all():
                assert np.isnan(preview.mean[by, bx])
                assert np.isnan(preview.max[by, bx])
            else:
                assert preview.mean[by, bx] == pytest.approx(np.nanmean(block), rel=1e-6)
                assert preview.max[by, bx] == np.nanmax(block)
    assert preview.mean.shape == (-(-ny // binning), -(-nx // binning))
    assert preview.total == image[good].sum()


@pytest.mark.parametrize("shape", [(831, 1475), (2048, 2048), (4104, 4128), (1, 513), (512, 512)])
def test_a_preview_has_at_most_512_pixels_a_side(shape: tuple[int, int]) -> None:
    binning = preview_binning(shape)
    assert all(-(-n // binning) <= 512 for n in shape)
    assert binning == 1 or any(-(-n // (binning - 1)) > 512 for n in shape)


def test_a_preview_is_binned_as_its_size_demands() -> None:
    image = np.arange(600 * 20).reshape(600, 20)
    preview = Blocks(image.shape).bin(image, None)
    assert preview.binning == 2
    np.testing.assert_array_equal(preview.mean, bin_blocks(image, 2, None).mean)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_an_image_that_grows_is_binned_as_a_new_one(dtype: str) -> None:
    rng = np.random.default_rng(1)
    image = (100 * rng.normal(size=(50, 70))).astype(dtype)
    blocks = Blocks(image.shape, 4)
    kept = None
    for masks in (None, None, rng.random(image.shape) < 0.9, None):
        index = rng.integers(0, image.size, 5)
        image.reshape(-1)[index] -= 1000 * rng.normal(size=5).astype(dtype)
        blocks.note_pixels(index)
        kept = blocks.bin(image, masks)
        expected = bin_blocks(image, 4, masks)
        np.testing.assert_array_equal(kept.mean, expected.mean)
        np.testing.assert_array_equal(kept.max, expected.max)
        assert (kept.total, kept.hottest) == (expected.total, expected.hottest)
    image += 1
    blocks.note_all()
    np.testing.assert_array_equal(blocks.bin(image, None).max, bin_blocks(image, 4, None).max)
    assert kept is not None and not np.array_equal(kept.max, blocks.bin(image, None).max)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(blocks)).bin(image, None).max, blocks.bin(image, None).max
    )


@WARM_UP
@given(
    st.sampled_from(["int64", "float64"]),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(0, 2**16),
    st.booleans(),
)
def test_blocks_grow_as_their_image_does(
    dtype: str, ny: int, nx: int, seed: int, masked: bool
) -> None:
    rng = np.random.default_rng(seed)
    image = np.zeros((16 * ny, 16 * nx), dtype)
    blocks = Blocks.of_zeros(image.shape)
    for pull in (0, 0, 5, 2**53):
        index = rng.integers(0, image.size, 30)
        value = (rng.integers(0, 9, 30) - pull * (rng.random(30) < 0.1)).astype(dtype)
        np.add.at(image.reshape(-1), index, value)
        blocks.note_added(image, index, value)
        valid = rng.random(image.shape) < 0.5 if masked and pull else None
        for mask in (valid, valid):
            grown, new = blocks.bin(image, mask), Blocks(image.shape).bin(image, mask)
            np.testing.assert_array_equal(grown.mean, new.mean)
            np.testing.assert_array_equal(grown.max, new.max)
            assert grown.total == new.total
            np.testing.assert_equal(grown.hottest, new.hottest)
            index, value = index[:3], np.ones(3, dtype)
            np.add.at(image.reshape(-1), index, value)
            blocks.note_added(image, index, value)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16", "int64"])
def test_any_dtype_is_binned_read_only_too(dtype: str) -> None:
    image = np.array([[1, 2, 7], [3, 4, 9]], dtype)
    image.flags.writeable = False
    blocks = bin_blocks(image, 2, None)
    np.testing.assert_array_equal(blocks.mean, np.array([[2.5, 8.0]], np.float32))
    np.testing.assert_array_equal(blocks.max, np.array([[4.0, 9.0]], np.float32))
    assert (blocks.total, blocks.hottest) == (26.0, 9.0)
    np.testing.assert_array_equal(bin_blocks(image, 1, None).mean, image)


def test_a_block_without_a_valid_pixel_has_no_value() -> None:
    image = np.array([[1.0, np.nan, np.nan, np.nan], [3.0, 5.0, np.nan, np.nan]])
    blocks = bin_blocks(image, 2, ~np.isnan(image))
    np.testing.assert_array_equal(blocks.mean, [[3.0, np.nan]])
    np.testing.assert_array_equal(blocks.max, [[5.0, np.nan]])


def test_the_full_image_is_exact_however_large_the_sum() -> None:
    for top in (1, 2**24 - 1, 2**24 + 1, 2**40 + 1):
        image = np.array([[top, 0]])
        shown = full_image(image, np.array([[True, False]]), float(top))
        assert int(shown[0, 0]) == top
        assert np.isnan(shown[0, 1])
