"""Any histogram of the photons at any time."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.photons import energies as energies_module
from pipeline.photons.energies import PhotonEnergies

energies = hnp.arrays(np.float32, st.integers(0, 50), elements=st.floats(0, 2048, width=16))
edges = st.floats(-100, 3000)


def filled(parts: list[np.ndarray]) -> PhotonEnergies:
    kept = PhotonEnergies()
    for part in parts:
        kept.add(part)
    return kept


# Half of the smallest number there is would be 0.
@example([np.zeros(1, np.float32)], 5e-324, 1.0, 1)
@given(st.lists(energies, max_size=6), edges, edges, st.integers(1, 60))
def test_as_numpy_makes_it(parts, low, high, bins):
    kept = filled(parts)
    everything = np.concatenate([np.empty(0, np.float32), *parts]).astype(np.float64)
    centres, counts = kept.histogram(low, high, bins)
    if not low < high:
        assert len(centres) == len(counts) == 0
        return
    limits = np.linspace(low, high, bins + 1)
    expected, _ = np.histogram(everything, limits)
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_allclose(centres, (limits[1:] + limits[:-1]) / 2)
    assert counts.dtype == np.int64
    assert len(kept) == len(everything)


@given(st.lists(energies, max_size=4), edges)
def test_photons_above_a_threshold(parts, threshold):
    everything = np.concatenate([np.empty(0, np.float32), *parts]).astype(np.float64)
    assert filled(parts).above(threshold) == np.count_nonzero(everything > threshold)


def test_no_photon_is_lost_by_a_change_of_range():
    rng = np.random.default_rng(0)
    kept = filled([rng.normal(1200, 40, 1000).round().astype(np.float32) for _ in range(100)])
    before = kept.histogram(0, 2000, 200)[1]
    assert kept.histogram(1000, 1100, 7)[1].sum() < before.sum()
    np.testing.assert_array_equal(kept.histogram(0, 2000, 200)[1], before)
    assert before.sum() == 100_000


def test_what_is_outside_is_not_counted():
    kept = filled([np.array([0, 99, 100, 150, 200, 201, 1e6], np.float32)])
    assert kept.histogram(100, 200, 2)[1].tolist() == [1, 2]


@pytest.mark.parametrize("low, high", [(5, 5), (6, 5), (float("nan"), 5)])
def test_no_range_gives_an_empty_histogram(low, high):
    centres, counts = filled([np.ones(3, np.float32)]).histogram(low, high, 10)
    assert len(centres) == len(counts) == 0


@pytest.mark.parametrize("low, high", [(-1e308, 1e308), (-1.7e308, 0.0), (0.0, 1.7e308)])
def test_the_largest_limits_give_numbers(low, high):
    with np.errstate(all="raise"):
        centres, counts = filled([np.array([800, 1200], np.float32)]).histogram(low, high, 4)
    assert np.isfinite(centres).all()
    assert (np.diff(centres) > 0).all()
    assert counts.sum() == (2 if high > 0 else 0)


def test_whole_numbers_stay_exact_and_small_however_many_come():
    rng = np.random.default_rng(1)
    kept = PhotonEnergies()
    parts = [rng.integers(800, 1500, 50_000).astype(np.float32) for _ in range(40)]
    for part in parts:
        kept.add(part)
    expected = np.bincount(np.concatenate(parts).astype(int), minlength=1500)[800:]
    np.testing.assert_array_equal(kept.histogram(799.5, 1499.5, 700)[1], expected)
    assert kept.size <= 700


def test_floats_are_rounded_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(energies_module, "MAX_VALUES", 10_000)
    rng = np.random.default_rng(2)
    kept = PhotonEnergies()
    everything = rng.normal(1200, 40, 400_000).astype(np.float32)
    for part in np.split(everything, 40):
        kept.add(part)
    assert kept.histogram(0, 3000, 1)[1].tolist() == [400_000]
    assert kept.size <= 10_000
    # Steps of 0.25 ADU: a photon may change its bin only at the rim.
    exact = np.histogram(everything.astype(np.float64), np.linspace(1000, 1400, 41))[0]
    np.testing.assert_allclose(kept.histogram(1000, 1400, 40)[1], exact, atol=400)


def test_many_empty_frames_take_no_room():
    kept = PhotonEnergies()
    for _ in range(200_000):
        kept.add(np.empty(0, np.float32))
    assert kept.histogram(0, 1, 1)[1].tolist() == [0]
    assert len(kept) == 0
