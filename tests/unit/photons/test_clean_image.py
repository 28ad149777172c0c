"""The image that has a photon's energy in one pixel, and nothing else."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.photon_detection import find, rois

from pipeline.model.roi import Roi
from pipeline.photons.detection import clean_image, clean_pixels
from pipeline.protocols.batch import PhotonList


def photon_list(*photons: tuple[float, float, float]) -> PhotonList:
    return PhotonList(
        *np.array(photons, np.float32).reshape(-1, 3).T, np.zeros(len(photons), np.uint8)
    )


def test_positions_are_rounded_not_cut():
    photons = photon_list((1.5, 2.49, 1200), (1.49, 2.5, 1200), (1.5, 2.49, 1200), (3, 3, 1100))
    image = clean_image(photons, 1100, (5, 5))
    assert image.dtype == np.uint32
    assert image[2, 2] == 2
    assert image[1, 3] == 1
    assert image.sum() == 3
    assert clean_pixels(photons, 1100, (5, 5)).tolist() == [12, 8, 12]
    assert clean_pixels(photons, 1100, (5, 5)).dtype == np.int64


def test_the_largest_float_below_a_half_is_not_rounded_up():
    below = np.nextafter(np.float32(0.5), np.float32(0))
    assert clean_pixels(photon_list((below, 1, 1200)), 0, (5, 5)).tolist() == [1]


def test_a_photon_at_the_rim_is_drawn_inside_of_the_roi():
    photons = photon_list((3.0, 1.4, 1200), (6.6, 4.0, 1200))
    image = clean_image(photons, 0, (9, 9), Roi(2, 3, 4, 4))
    assert image[3, 2] == 1
    assert image[6, 4] == 1
    assert image.sum() == 2
    assert clean_pixels(photons, 0, (9, 9), Roi(20, 3, 4, 4)).tolist() == []


@given(st.integers(0, 2**32 - 1), rois)
@settings(deadline=None)
def test_the_clean_image_has_each_photon_and_is_zero_outside_of_the_roi(seed, roi):
    image = np.random.default_rng(seed).integers(90, 700, (14, 14)).astype(np.uint16)
    photons = find(image, roi).photons
    clean = clean_image(photons, 1100, (14, 14), roi)
    assert clean.sum() == np.count_nonzero(photons.energy > 1100)
    part = roi.slices((14, 14))
    if part is not None:
        clean[part] = 0
    assert not clean.any()
