"""Photons close to the noise: how many are found, how many are false, what errors are worth."""

import numpy as np
import pytest
from support.faint import FaintCamera, faint_camera
from support.matched_quality import measure

from pipeline.photons.calibration import Calibration
from pipeline.photons.cloud_fit import cloud_of
from pipeline.photons.cloud_shape import false_alarm_threshold
from pipeline.photons.matched import MatchedFilter
from pipeline.protocols.batch import AT_BORDER, OVERLAPS

SIZE = 512


def exact(camera: FaintCamera) -> Calibration:
    noise = np.sqrt(camera.noise**2 + 1 / 12)
    shape = camera.offset.shape
    return Calibration(
        camera.offset.astype(np.float32), noise.astype(np.float32), np.zeros(shape, bool), 10**6
    )


@pytest.mark.parametrize(
    ("energy", "noise", "efficiency", "position"),
    [(60.0, 2.0, 0.998, 0.11), (40.0, 2.0, 0.958, 0.17), (60.0, 3.0, 0.951, 0.16)],
)
def test_found_false_and_where(
    energy: float, noise: float, efficiency: float, position: float
) -> None:
    found = measure(31, energy, noise)
    # Counts of about 1000 photons: three of their standard deviations.
    slack = 3 * np.sqrt(efficiency * (1 - efficiency) / found.photons)
    assert found.found / found.photons >= efficiency - slack
    assert found.false <= 0.01 * found.photons + 3 * np.sqrt(0.01 * found.photons) + 3
    assert np.std(found.off) <= position * 1.03
    for width in found.widths:
        assert 0.9 <= width <= 1.15


@pytest.mark.parametrize("cloud", [0.5, 0.7, 1.2])
def test_noise_gives_as_many_false_photons_as_were_accepted(cloud: float) -> None:
    rng = np.random.default_rng(32)
    camera = faint_camera(rng, SIZE, 2.5)
    matched = MatchedFilter(exact(camera), cloud, 10.0)
    mean = np.mean([len(matched.find(camera.frame(rng))) for _ in range(12)])
    assert 4 < mean < 20


def test_energy_and_place_of_a_strong_photon_are_exact() -> None:
    rng = np.random.default_rng(33)
    camera = FaintCamera(np.full((64, 64), 100.0), np.full((64, 64), 0.3))
    y, x = np.array([20.2, 30.5, 45.9]), np.array([11.4, 30.5, 50.1])
    hits = MatchedFilter(exact(camera), 0.7, 0.01).find(camera.frame(rng, y, x, 3000.0))
    np.testing.assert_allclose(hits.y, y, atol=0.01)
    np.testing.assert_allclose(hits.x, x, atol=0.01)
    np.testing.assert_allclose(hits.energy, 3000.0, rtol=2e-3)
    assert (hits.chi_square < 5).all()
    assert (hits.flags == 0).all()


def test_a_noisy_pixel_is_no_photon() -> None:
    rng = np.random.default_rng(34)
    noise = np.full((128, 128), 2.0)
    noise[::8, ::8] = 12.0
    camera = FaintCamera(np.full((128, 128), 100.0), noise)
    matched = MatchedFilter(exact(camera), 0.7, 0.05)
    assert sum(len(matched.find(camera.frame(rng))) for _ in range(10)) <= 5


def test_flags_of_pairs_and_of_the_border() -> None:
    rng = np.random.default_rng(35)
    camera = FaintCamera(np.full((64, 64), 100.0), np.full((64, 64), 1.0))
    y, x = np.array([20.0, 22.0, 40.0, 1.0]), np.array([20.0, 21.0, 40.0, 33.0])
    hits = MatchedFilter(exact(camera), 0.5, 0.01).find(camera.frame(rng, y, x, 400.0, 0.5))
    assert hits.flags.tolist() == [AT_BORDER, OVERLAPS, OVERLAPS, 0]


def test_bad_pixels_are_not_looked_at() -> None:
    rng = np.random.default_rng(36)
    camera = FaintCamera(np.full((64, 64), 100.0), np.full((64, 64), 2.0))
    known = exact(camera)
    known.bad[20, 20] = True
    frame = camera.frame(rng, np.array([40.3]), np.array([41.0]), 200.0)
    frame[20, 20] = 65535
    hits = MatchedFilter(known, 0.7, 0.01).find(frame)
    np.testing.assert_allclose(hits.y, [40.3], atol=0.1)


def test_the_cloud_is_found_from_strong_photons() -> None:
    rng = np.random.default_rng(37)
    camera = faint_camera(rng, 256, 2.0)
    frames = []
    for _ in range(4):
        y, x = camera.places(rng, 5e-4)
        frames.append(camera.frame(rng, y, x, rng.uniform(200, 400, len(y)), 0.9))
    assert cloud_of(frames, exact(camera)) == pytest.approx(0.9, abs=0.04)
    assert cloud_of([camera.frame(rng)], exact(camera)) is None


def test_the_threshold_follows_the_false_alarms() -> None:
    levels = [false_alarm_threshold(0.7, 2048**2, rate) for rate in (0.01, 1.0, 100.0)]
    assert levels == sorted(levels, reverse=True)
    assert 4 < levels[1] < 6


def test_what_cannot_be_filtered_says_why() -> None:
    known = exact(FaintCamera(np.full((64, 64), 100.0), np.full((64, 64), 2.0)))
    with pytest.raises(ValueError, match="use a σ from"):
        MatchedFilter(known, 0.0)
    with pytest.raises(ValueError, match="false_per_frame 0"):
        MatchedFilter(known, 0.7, 0.0)
    with pytest.raises(ValueError, match=r"frame of shape \(4, 4\)"):
        MatchedFilter(known).find(np.zeros((4, 4), np.uint16))
