"""The largest photon energy of each frame, the newest frames kept."""

import numpy as np

from pipeline.photons.largest import LargestEnergies


def test_one_number_a_frame():
    largest = LargestEnergies()
    for energies in ([900.0, 1350.0, 1300.0], [], [850.0]):
        largest.add(np.array(energies, np.float32))
    np.testing.assert_array_equal(largest.values, [1350.0, np.nan, 850.0])


def test_only_the_newest_are_kept():
    largest = LargestEnergies(most=300)
    for frame in range(5000):
        largest.add(np.array([frame], np.float32))
        assert len(largest._values) <= 1200
    np.testing.assert_array_equal(largest.values, np.arange(4700, 5000))
