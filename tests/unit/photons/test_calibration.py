"""Offset and noise of each pixel, from frames that are not quite dark."""

import numpy as np
import pytest
from support.faint import faint_camera

from pipeline.photons.calibration import CalibrationError, Calibrator, calibrate


def test_offset_and_noise_of_each_pixel() -> None:
    rng = np.random.default_rng(21)
    camera = faint_camera(rng, 128, 2.0)
    found = calibrate(camera.frame(rng) for _ in range(200))
    true = np.sqrt(camera.noise**2 + 1 / 12)  # whole numbers
    assert found.frames == 200
    assert np.std((found.offset - camera.offset) / true) == pytest.approx(1 / np.sqrt(200), rel=0.1)
    assert np.median(found.noise / true) == pytest.approx(1, abs=0.01)
    assert np.std(found.noise / true) < 0.06
    assert found.bad.mean() < 0.002
    assert found.median_noise == pytest.approx(np.median(true), rel=0.02)


def test_photons_in_the_dark_move_nothing() -> None:
    rng = np.random.default_rng(22)
    camera = faint_camera(rng, 128, 2.0)
    calibrator = Calibrator()
    for _ in range(200):
        y, x = camera.places(rng, 1e-3)
        calibrator.add_frame(camera.frame(rng, y, x, 60.0))
    found = calibrator.result()
    true = np.sqrt(camera.noise**2 + 1 / 12)
    quiet = camera.noise < 4
    assert np.abs(np.mean((found.offset - camera.offset)[quiet])) < 0.05
    assert np.mean((found.noise / true)[quiet]) == pytest.approx(1, abs=0.03)
    assert found.bad.mean() < 0.01


@pytest.mark.parametrize(("share", "step"), [(0.05, 40.0), (0.12, 30.0), (0.4, 25.0)])
def test_a_pixel_that_jumps_is_bad_or_noisy(share: float, step: float) -> None:
    rng = np.random.default_rng(23)
    camera = faint_camera(rng, 96, 2.0)
    jumping = np.zeros((96, 96), bool)
    jumping[5::20, 7::20] = True
    calibrator = Calibrator()
    for _ in range(200):
        up = (rng.random((96, 96)) < share) & jumping
        calibrator.add_frame(camera.frame(rng) + np.where(up, step, 0).astype(np.uint16))
    found = calibrator.result()
    spread = step * np.sqrt(share * (1 - share))
    assert (found.bad | (found.noise > 0.8 * spread))[jumping].all()
    assert found.bad[~jumping].mean() < 0.002
    assert (found.weights()[found.bad] == 0).all()


def test_dead_hot_and_wild_pixels_are_bad() -> None:
    rng = np.random.default_rng(24)
    camera = faint_camera(rng, 64, 2.0)
    camera.noise[3, 4] = 0.0
    camera.noise[10, 11] = 60.0
    camera.offset[20, 21] = 3000.0
    found = calibrate(camera.frame(rng) for _ in range(60))
    assert found.bad[3, 4] and found.bad[10, 11] and found.bad[20, 21]
    assert found.bad.sum() < 10
    assert np.isfinite(found.offset).all() and (found.noise > 0).all()


def test_what_cannot_be_calibrated_says_why() -> None:
    calibrator = Calibrator()
    calibrator.add_frame(np.zeros((4, 5), np.uint16))
    with pytest.raises(CalibrationError, match="1 frames are too few"):
        calibrator.result()
    with pytest.raises(CalibrationError, match=r"shape \(5, 4\)"):
        calibrator.add_frame(np.zeros((5, 4), np.uint16))


@pytest.mark.parametrize("frames", [3, 12, 25])
def test_the_first_frames_are_weighed_by_their_medians(frames: int) -> None:
    rng = np.random.default_rng(24)
    images = rng.normal(100, 3, (frames, 8, 50))
    images[rng.random(images.shape) < 0.05] += 1000
    calibrator = Calibrator(frames)
    for image in images:
        calibrator.add_frame(image)
    away = np.abs(images - np.median(images, axis=0))
    left_out = away > 4 * 1.4826 * np.median(away, axis=0) + 2
    kept = np.where(left_out, np.nan, images)
    found = calibrator.result()
    enough = (~left_out).sum(axis=0) > frames / 2
    np.testing.assert_allclose(found.offset[enough], np.nanmean(kept, axis=0)[enough], rtol=1e-6)
