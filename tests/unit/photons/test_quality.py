"""How well photons are found on simulated frames whose photons are known."""

import numpy as np
import pytest
from support.photon_quality import Quality

from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.detection import clean_image, find_photons_with
from pipeline.protocols.batch import PhotonFrame
from pipeline.simulation.balor import BALOR_SHAPE, balor_frame

DEFAULTS = Settings()


def find(image: np.ndarray) -> PhotonFrame:
    return find_photons_with(DEFAULTS, image, Roi(0, 0, image.shape[1], image.shape[0]))


@pytest.mark.parametrize("density", [1e-5, 1e-4, 1e-3])
def test_full_frames(density):
    """3 ADU noise and 200 hot pixels a frame."""
    rng = np.random.default_rng(7)
    quality = Quality(DEFAULTS.pileup_threshold)
    for _ in range(12 if density < 1e-4 else 1):
        image, truth = balor_frame(rng, BALOR_SHAPE, density)
        quality.add(find(image).photons, truth)
    quality.check(density)


def test_pile_up_grows_with_density():
    rng = np.random.default_rng(8)
    shares = []
    for density in (1e-4, 1e-3):
        found = find(balor_frame(rng, BALOR_SHAPE, density)[0])
        shares.append(found.pileup / len(found.photons))
    assert shares[0] < 0.002
    assert 0.005 < shares[1] < 0.015


def test_hot_pixels_are_rejected():
    rng = np.random.default_rng(9)
    image, _ = balor_frame(rng, (1000, 1000), count=0, hot_pixels=2000)
    assert len(find(image).photons) <= 20


def test_the_clean_image_has_photons_in_their_pixels():
    image, truth = balor_frame(np.random.default_rng(10), (1000, 1000), count=300)
    clean = clean_image(find(image).photons, DEFAULTS.view_threshold, (1000, 1000))
    row, column = np.floor(truth.y + 0.5).astype(int), np.floor(truth.x + 0.5).astype(int)
    assert clean[row, column].sum() >= 0.97 * len(truth)


def test_frames_too_dense_are_skipped():
    image, _ = balor_frame(np.random.default_rng(11), (1000, 1000), 2e-2)
    found = find(image)
    assert found.skipped
    assert found.density == np.count_nonzero(image > 210) / image.size > DEFAULTS.max_hit_density
