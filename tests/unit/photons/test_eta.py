"""Eta correction of the simulated Balor cloud."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from pipeline.model.roi import Roi
from pipeline.photons.detection import find_photons
from pipeline.photons.eta import flatness, learn_axis, learn_eta
from pipeline.simulation.balor import balor_frame

SIZE = 1024


def test_positions_of_the_balor_cloud_get_right() -> None:
    rng = np.random.default_rng(41)
    measured, true, flags = [], [], []
    for _ in range(12):
        image, truth = balor_frame(rng, (SIZE, SIZE), 1e-3, hot_pixels=0)
        found = find_photons(
            image,
            background=100.0,
            photon_threshold=110.0,
            energy_threshold=800.0,
            pileup_threshold=1400.0,
            hot_pixel_ratio=0.95,
            max_hit_density=1.0,
            roi=Roi(0, 0, SIZE, SIZE),
        ).photons
        places = np.stack([truth.y, truth.x], 1)
        distance, which = KDTree(places).query(np.stack([found.y, found.x], 1))
        alone = KDTree(places).query(places, k=2)[0][:, 1][which] > 6
        use = alone & (distance < 1)
        measured.append(np.stack([found.y, found.x], 1)[use])
        true.append(places[which[use]])
        flags.append(found.flags[use])
    at, place, flag = map(np.concatenate, (measured, true, flags))
    half = len(at) // 2
    eta = learn_eta(at[:half, 0], at[:half, 1], flag[:half])
    for axis, correction in ((0, eta.y), (1, eta.x)):
        plain = at[half:, axis]
        corrected = correction.corrected(plain)
        assert np.std(plain - place[half:, axis]) > 0.025
        assert np.std(corrected - place[half:, axis]) <= 0.020
        assert np.abs(np.mean(corrected - place[half:, axis])) < 0.01
        # Of other photons than those that were learned from; both scatter, so 2 is perfect.
        assert flatness(corrected).chi_square < 3.5
        assert flatness(plain).chi_square > 2 * flatness(corrected).chi_square
        np.testing.assert_array_equal(np.floor(corrected + 0.5), np.floor(plain + 0.5))


def test_flat_positions_stay_where_they_are() -> None:
    x = np.random.default_rng(42).uniform(0, 900, 200_000)
    corrected = learn_axis(x).corrected(x)
    assert np.abs(corrected - x).max() < 0.01
    assert flatness(x).chi_square == pytest.approx(1, abs=0.7)


def test_integer_positions_are_no_error() -> None:
    axis = learn_axis(np.repeat(np.arange(100.0), 50))
    assert np.isfinite(axis.corrected(np.array([3.0, 3.2, -0.4]))).all()


def test_too_few_photons_say_so() -> None:
    with pytest.raises(ValueError, match="12 photons are too few"):
        learn_eta(np.zeros(14), np.zeros(14), np.array([0] * 12 + [1, 2], np.uint8))
