"""The simulated Balor looks like the measured one."""

import numpy as np
import pytest

from pipeline.simulation.balor import HOT_ADU, balor_frame, draw_clouds, stream_balor_frames


def test_clouds_have_the_published_shapes():
    """Hottest pixel, 3x3 and 5x5 sum of real photons: 450, 1200 and 1260 ADU."""
    shape = (60, 60)
    hottest, small, large = [], [], []
    for seed in range(300):
        truth, index, charge = draw_clouds(np.random.default_rng(seed), shape, 1)
        image = np.bincount(index, weights=charge, minlength=3600).reshape(shape)
        y, x = int(np.floor(truth.y[0] + 0.5)), int(np.floor(truth.x[0] + 0.5))
        hottest.append(image.max())
        small.append(image[y - 1 : y + 2, x - 1 : x + 2].sum())
        large.append(image[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].sum())
        assert small[-1] == pytest.approx(truth.energy[0])
    assert np.median(hottest) == pytest.approx(450, abs=20)
    assert np.median(small) == pytest.approx(1210, abs=10)
    assert np.median(large) == pytest.approx(1257, abs=10)


@pytest.mark.parametrize("make", [balor_frame, lambda *a, **k: next(stream_balor_frames(*a, **k))])
def test_frames_are_seeded_and_hold_what_was_asked_for(make):
    first, truth = make(np.random.default_rng(3), (200, 300), count=20)
    again, _ = make(np.random.default_rng(3), (200, 300), count=20)
    other, _ = make(np.random.default_rng(4), (200, 300), count=20)
    assert first.dtype == np.uint16
    assert first.shape == (200, 300)
    assert first.flags.c_contiguous
    assert len(truth) == 20
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_noise_background_and_hot_pixels():
    image, _ = balor_frame(np.random.default_rng(5), (400, 500), count=0, hot_pixels=0)
    assert image.mean() == pytest.approx(100, abs=0.1)
    assert image.std() == pytest.approx(3, abs=0.1)
    flat, _ = balor_frame(
        np.random.default_rng(5), (400, 500), count=0, hot_pixels=7, noise=0, background=200
    )
    hot = flat[flat != 200].astype(float) - 200
    assert len(hot) == 7
    assert ((hot >= HOT_ADU[0]) & (hot <= HOT_ADU[1])).all()


def test_charge_is_kept_and_saturates():
    image, truth = balor_frame(
        np.random.default_rng(6), (50, 50), count=1, noise=0, hot_pixels=0, background=100
    )
    assert len(truth) == 1
    assert image.astype(int).sum() - 250_000 == pytest.approx(1262, abs=120)
    bright, _ = balor_frame(
        np.random.default_rng(6), (50, 50), count=1, noise=0, hot_pixels=0, background=65400
    )
    assert bright.max() == 65535
    assert bright.min() == 65400


def test_streamed_frames_differ_and_follow_the_density():
    frames = stream_balor_frames(np.random.default_rng(7), (300, 400), 1e-3)
    images, truths = zip(*(next(frames) for _ in range(30)), strict=True)
    assert (images[0] != images[1]).mean() > 0.5
    assert np.mean([len(truth) for truth in truths]) == pytest.approx(120, rel=0.1)


@pytest.mark.parametrize("amount", [{}, {"count": 3, "photons_per_pixel": 1e-3}])
def test_one_way_to_say_how_many(amount):
    with pytest.raises(ValueError, match="exactly one"):
        balor_frame(np.random.default_rng(0), (50, 50), **amount)
    with pytest.raises(ValueError, match="exactly one"):
        next(stream_balor_frames(np.random.default_rng(0), (50, 50), **amount))
