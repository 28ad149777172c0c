"""The benchmark compares like with like."""

import numpy as np
import pytest
from bench.matched_finding import matched_row
from bench.photon_finding import PhotonRow, photon_rows, plain_loop, with_scipy
from support.photon_reference import as_arrays, reference_photons

from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi


def test_the_plain_loop_finds_what_the_definition_says():
    image = np.random.default_rng(0).integers(90, 700, (60, 50)).astype(np.uint16)
    settings = Settings()
    expected, _ = reference_photons(
        image,
        background=settings.background,
        photon_threshold=settings.photon_threshold,
        energy_threshold=settings.energy_threshold,
        pileup_threshold=settings.pileup_threshold,
        hot_pixel_ratio=settings.hot_pixel_ratio,
        roi=Roi(0, 0, 50, 60),
    )
    assert len(expected) > 50
    np.testing.assert_allclose(plain_loop(image, settings), as_arrays(expected)[:, :3])
    np.testing.assert_allclose(
        with_scipy(image, settings), as_arrays(expected)[:, :3], rtol=1e-6, atol=1e-5
    )


def test_a_row_for_each_density():
    rows = photon_rows((1e-4, 1e-3), shape=(300, 400), rounds=2)
    assert [row.photons_per_pixel for row in rows] == [1e-4, 1e-3]
    assert rows[1].photons > 80
    assert all(row.find_ms > 0 and row.max_ms > 0 and row.loop_ms > 0 for row in rows)


def test_a_row_for_the_matched_filter():
    row = matched_row(1e-3, size=200, rounds=2)
    assert row.photons > 20
    assert row.copies == row.find_ms / row.copy_ms > 0


@pytest.mark.parametrize(
    "find_ms, loop_ms, reached", [(2, 100, True), (2.1, 200, False), (2, 99, False)]
)
def test_limits(find_ms, loop_ms, reached):
    row = PhotonRow(1e-3, 10, 1.0, find_ms, 3.0, 90.0, loop_ms, ratio_limit=2.0, speedup_limit=50.0)
    assert row.reached == reached
