"""Statistics of ROIs: spots whose place and width are known, on sloping and noisy backgrounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from pipeline.frames.read_only import read_only
from pipeline.frames.roi_statistics import (
    cmos_statistics,
    counting_statistics,
    image_statistics,
    sparse_statistics,
)
from pipeline.frames.summing import subtract_and_threshold
from pipeline.model.roi import Roi
from pipeline.model.roi_statistics import STATISTICS

SHAPE = (120, 140)
SLOPES = [(0.0, 0.0, 0.0), (0.3, 0.2, 0.0), (-0.4, 0.9, 60.0)]
NAMES = {name: i for i, name in enumerate(STATISTICS)}
PLACE = slice(NAMES["x"], NAMES["width_y"] + 1)


def spot(y: float, x: float, sigma: float, height: float) -> np.ndarray:
    """Integrate a Gaussian over each pixel."""
    fy, fx = (
        np.diff(ndtr((np.arange(n + 1) - 0.5 - at) / sigma))
        for n, at in zip(SHAPE, (y, x), strict=True)
    )
    return height * 2 * np.pi * sigma**2 * fy[:, None] * fx


def frame(
    rng: np.random.Generator, light: np.ndarray, slope: tuple[float, float, float], noise: float
) -> np.ndarray:
    y, x = np.indices(SHAPE)
    raw = 100 + slope[2] + slope[0] * y + slope[1] * x + light + noise * rng.normal(size=SHAPE)
    return np.clip(np.rint(raw), 0, 65535).astype(np.uint16)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.5, 5.0])
@pytest.mark.parametrize("slope", SLOPES)
def test_a_spot_is_where_it_is_wherever_the_roi_is(
    sigma: float, slope: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(int(sigma * 10))
    reach = int(np.ceil(5 * sigma))
    off, spread, widths = [], [], []
    for _ in range(20):
        y, x = rng.uniform(50, 60), rng.uniform(60, 70)
        image = frame(rng, spot(y, x, sigma, 1000.0), slope, 3.0)
        rois = [
            Roi(int(x) - left, int(y) - up, left + right, up + down)
            for left, right, up, down in rng.integers(reach, reach + 25, (8, 4)).tolist()
        ]
        found = cmos_statistics(read_only(image), rois, 100.0, 12.0)
        at = found[:, [NAMES["y"], NAMES["x"]]]
        off.append(at.mean(axis=0) - (y, x))
        spread.append(np.ptp(at, axis=0))
        widths.append(found[:, NAMES["width_x"] : NAMES["width_y"] + 1])
    assert np.abs(off).max() < 0.02
    assert np.max(spread) < 0.05
    # The pixel itself adds 1/12 px² to a spot that is integrated over it.
    np.testing.assert_allclose(np.mean(widths), np.sqrt(sigma**2 + 1 / 12), rtol=0.02)


def test_a_spot_near_the_border_is_not_pulled_inwards() -> None:
    image = frame(np.random.default_rng(0), spot(50.3, 60.4, 2.0, 2000.0), SLOPES[1], 3.0)
    for distance in range(4, 30):
        found = cmos_statistics(read_only(image), [Roi(60 - distance, 20, 70, 60)], 100.0, 12.0)[0]
        assert found[NAMES["x"]] == pytest.approx(60.4, abs=0.05)
        assert found[NAMES["y"]] == pytest.approx(50.3, abs=0.05)


def test_a_hot_pixel_in_the_border_does_not_move_the_spot() -> None:
    image = frame(np.random.default_rng(0), spot(50.3, 60.4, 3.0, 500.0), SLOPES[1], 3.0)
    image[30, 45] = 2000
    found = cmos_statistics(read_only(image), [Roi(45, 30, 40, 40)], 100.0, 12.0)[0]
    assert found[NAMES["x"]] == pytest.approx(60.4, abs=0.02)
    assert found[NAMES["y"]] == pytest.approx(50.3, abs=0.02)


def test_noise_alone_has_no_place() -> None:
    rng = np.random.default_rng(3)
    for noise, background in ((3.0, 100.0), (30.0, 100.0), (3.0, 0.0)):
        image = frame(rng, np.zeros(SHAPE), SLOPES[2], noise)
        corners = rng.integers(0, 100, (300, 2)).tolist()
        sizes = rng.integers(8, 40, (300, 2)).tolist()
        rois = [Roi(x, y, w, h) for (x, y), (w, h) in zip(corners, sizes, strict=True)]
        found = cmos_statistics(read_only(image), rois, background, 0.0)
        assert np.isnan(found[:, PLACE]).all()
        assert np.isfinite(found[:, : NAMES["x"]]).all()


def test_a_plane_without_noise_has_no_place() -> None:
    y, x = np.indices((40, 50))
    for image in (np.full((40, 50), 130.0), 200 + 1.7 * y - 0.3 * x, (200 + 2 * y).astype("u2")):
        found = cmos_statistics(read_only(image), [Roi(3, 4, 30, 20)], 100.0, 12.0)
        assert np.isnan(found[:, PLACE]).all()


def test_nothing_above_the_threshold_has_no_place() -> None:
    image = frame(np.random.default_rng(0), spot(50.0, 60.0, 2.0, 50.0), SLOPES[0], 0.0)
    roi = [Roi(45, 35, 30, 30)]
    assert np.isfinite(cmos_statistics(read_only(image), roi, 100.0, 12.0)).all()
    assert np.isnan(cmos_statistics(read_only(image), roi, 100.0, 60.0)[0, PLACE]).all()


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["uint8", "uint16", "int16", "uint32", "int64", "float32", "float64"]),
    st.sampled_from([0.0, 100.0, 100.5]),
    st.sampled_from([0.0, 12.5]),
    st.integers(0, 2**16),
)
def test_mean_sum_and_max_are_those_of_the_processed_image(
    dtype: str, background: float, threshold: float, seed: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 127, (9, 11)).astype(dtype)
    processed = subtract_and_threshold(image, background, threshold)
    rois = [Roi(2, 1, 3, 4), Roi(-2, -2, 4, 4), Roi(0, 0, 11, 9), Roi(5, 5, 1, 1), Roi(50, 0, 1, 1)]
    found = cmos_statistics(read_only(image), rois, background, threshold)
    for row, roi in zip(found[:4], rois[:4], strict=True):
        part = processed[roi.slices((9, 11))]
        np.testing.assert_allclose(row[:3], [part.mean(), part.sum(), part.max()])
    assert np.isnan(found[4]).all()


def test_masked_pixels_are_in_nothing() -> None:
    rng = np.random.default_rng(5)
    light = spot(50.2, 60.7, 2.0, 900.0)
    clean = rng.poisson(2 + light).astype(np.float32)
    image = clean.copy()
    bad = rng.random(SHAPE) < 0.02
    bad[45:56, 55:66] = False
    image[bad] = rng.choice([-1.0, np.nan, np.inf, -np.inf], np.count_nonzero(bad))
    rois = [Roi(40, 35, 40, 35), Roi(0, 0, 20, 20)]
    found = counting_statistics(read_only(image), rois)
    part, valid = image[35:70, 40:80], ~bad[35:70, 40:80]
    pixels = part[valid].astype(np.float64)
    expected = [pixels.mean(), pixels.sum(), pixels.max()]
    np.testing.assert_allclose(found[0, :3], expected, rtol=1e-12)
    assert found[0, NAMES["x"]] == pytest.approx(60.7, abs=0.05)
    assert found[0, NAMES["y"]] == pytest.approx(50.2, abs=0.05)
    assert np.isnan(counting_statistics(np.full((9, 9), -1.0), [Roi(0, 0, 9, 9)])).all()


def test_infinite_pixels_of_a_cmos_frame_spoil_no_place() -> None:
    image = frame(np.random.default_rng(0), spot(50.0, 60.0, 2.0, 900.0), SLOPES[0], 3.0)
    broken = image.astype(np.float32)
    broken[40, 50], broken[42, 75] = np.nan, -np.inf
    found = cmos_statistics(read_only(broken), [Roi(45, 35, 40, 30)], 100.0, 12.0)[0]
    assert found[NAMES["x"]] == pytest.approx(60.0, abs=0.02)


def test_a_clean_image_gives_what_the_drawn_image_gives() -> None:
    rng = np.random.default_rng(6)
    ys = np.r_[np.rint(rng.normal(20.3, 2.0, 3000)), rng.integers(0, 60, 300)].astype(int)
    xs = np.r_[np.rint(rng.normal(30.6, 2.0, 3000)), rng.integers(0, 70, 300)].astype(int)
    index = ys * 70 + xs
    image = np.bincount(index, minlength=60 * 70).reshape(60, 70)
    rois = [Roi(10, 5, 40, 30), Roi(-5, 10, 60, 100), Roi(15, 40, 30, 15), Roi(100, 0, 1, 1)]
    sparse = sparse_statistics(index, (60, 70), rois)
    np.testing.assert_allclose(sparse, counting_statistics(read_only(image), rois), rtol=1e-9)
    assert sparse[0, NAMES["x"]] == pytest.approx(30.6, abs=0.15)
    assert sparse[0, NAMES["y"]] == pytest.approx(20.3, abs=0.15)
    nothing = sparse_statistics(np.empty(0, np.int64), (60, 70), rois[:1])[0]
    np.testing.assert_array_equal(nothing[:3], 0)
    assert np.isnan(nothing[PLACE]).all()


def test_a_frame_of_a_camera_is_read_as_it_is() -> None:
    image = np.full((20, 20), 100, np.uint16)
    image[8:11, 9:12] = 400
    image.flags.writeable = False
    found = cmos_statistics(read_only(image), [Roi(2, 2, 15, 15)], 100.0, 12.0)[0]
    np.testing.assert_allclose(found[NAMES["x"] : NAMES["y"] + 1], [10.0, 9.0])


def test_a_sum_is_measured_as_its_frames_are_masked_pixels_left_out() -> None:
    rng = np.random.default_rng(5)
    image = rng.poisson(spot(50.3, 61.8, 2.0, 300.0) + 4).astype(np.int64)
    valid = np.ones(SHAPE, bool)
    valid[40, 60:64] = False
    masked = np.where(valid, image, -1).astype(np.float32)
    rois = [Roi(45, 35, 40, 30), Roi(0, 0, 140, 120), Roi(500, 0, 3, 3)]
    expected = counting_statistics(read_only(masked), rois)
    np.testing.assert_allclose(image_statistics(image, valid, rois), expected)
    assert np.isnan(expected[2]).all()


@pytest.mark.parametrize(
    ("background", "threshold"), [(100.0, 12.0), (100.0, 12.7), (65535.0, 0.0)]
)
def test_whole_numbers_are_summed_as_any_others(background: float, threshold: float) -> None:
    rng = np.random.default_rng(6)
    image = frame(rng, spot(50.3, 61.8, 2.0, 900.0), (0.3, -0.2, 30.0), 3.0)
    image[50:60, 100:110] = 65535
    rois = [Roi(45, 35, 40, 30), Roi(0, 0, 140, 120), Roi(98, 48, 5, 5), Roi(3, 3, 20, 20)]
    plain = cmos_statistics(read_only(image.astype(np.float32)), rois, background, threshold)
    np.testing.assert_allclose(
        cmos_statistics(read_only(image), rois, background, threshold), plain
    )


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("background", [0.0, 100.0, 100.5])
def test_whole_numbers_give_what_any_numbers_give_bit_for_bit(seed: int, background: float):
    rng = np.random.default_rng(seed)
    ny, nx = rng.integers(1, 130, 2)
    level = 100 + rng.uniform(-20, 50) + rng.uniform(-0.2, 0.2) * np.arange(nx)
    image = level + rng.normal(0, rng.uniform(0, 8), (ny, nx))
    for _ in range(rng.integers(0, 6)):
        image[rng.integers(ny), rng.integers(nx)] = rng.choice([0, 900, 3000, 65535])
    frame = np.clip(image, 0, 65535).astype(np.uint16)
    rois = [Roi(0, 0, int(nx), int(ny)), Roi(int(nx) // 3, int(ny) // 4, int(nx), int(ny))]
    whole = cmos_statistics(frame, rois, background, 12.0)
    np.testing.assert_array_equal(
        whole, cmos_statistics(frame.astype(np.float64), rois, background, 12.0)
    )
