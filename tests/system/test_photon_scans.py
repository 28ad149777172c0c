"""Photon scans over ZMQ: what the file holds, how well photons are found."""

import h5py
import numpy as np
import pytest
from support.photon_quality import Quality
from support.photons import read_columns

from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.detection import find_photons_with
from pipeline.protocols.batch import PhotonList
from pipeline.simulation.balor import BALOR_SHAPE, stream_balor_frames
from pipeline.simulation.scan import BurstScan

pytestmark = pytest.mark.slow

STREAM = "andor3_balor"
SMALL = (300, 400)


def photon_roi(shape: tuple[int, int]) -> str:
    return f'{{"x": 0, "y": 0, "width": {shape[1]}, "height": {shape[0]}}}'


@pytest.mark.parametrize("density", [1e-5, 1e-4, 1e-3])
def test_photons_are_found_as_well_as_offline(player, tmp_path, density):
    simulated = stream_balor_frames(np.random.default_rng(3), BALOR_SHAPE, density)
    number = 8 if density < 1e-4 else 2
    frames, truths = zip(*(next(simulated) for _ in range(number)), strict=True)
    player.write(PhotonRoi=photon_roi(BALOR_SHAPE))
    scan = BurstScan(steps=1, burst=number)
    player.prepare(STREAM, scan)
    player.play(STREAM, frames, scan, filename=str(tmp_path / "balor.h5"))
    player.wait_finished()
    assert player.read("SkippedFrames") == 0
    columns = read_columns(player.read("PhotonFile"))
    quality = Quality(player.read("PileupThreshold"))
    for frame, truth in enumerate(truths):
        here = columns["frame"] == frame
        quality.add(
            PhotonList(*(columns[name][here] for name in ("y", "x", "energy", "flags"))), truth
        )
    quality.check(density)
    assert player.read("PhotonCount") == quality.found
    axis, counts = player.read("EnergyAxis"), player.read("EnergyHistogram")
    assert abs(axis[np.argmax(counts)] - 1213) <= 20


def test_the_file_of_200_frames_is_what_the_kernel_finds_offline(player, tmp_path):
    simulated = stream_balor_frames(np.random.default_rng(4), SMALL, 3e-4, hot_pixels=5)
    frames = [next(simulated)[0] for _ in range(200)]
    player.write(PhotonRoi=photon_roi(SMALL), Accumulate=True)
    scan = BurstScan(steps=10, burst=20)
    player.prepare(STREAM, scan)
    player.play(STREAM, frames, scan, filename=str(tmp_path / "raw.h5"))
    player.wait_finished()
    path = player.read("PhotonFile")
    columns = read_columns(path)
    settings = Settings()
    offline = [find_photons_with(settings, f, Roi(0, 0, SMALL[1], SMALL[0])) for f in frames]
    np.testing.assert_array_equal(
        columns["frame"], np.repeat(np.arange(200), [len(o.photons) for o in offline])
    )
    for name in ("y", "x", "energy", "flags"):
        expected = np.concatenate([getattr(o.photons, name) for o in offline])
        np.testing.assert_array_equal(columns[name], expected)
    with h5py.File(path) as file:
        assert file["entry/complete"][()] == 1
    assert player.read("FrameCount") == 200
    seen = sum(np.count_nonzero(o.photons.energy > settings.view_threshold) for o in offline)
    assert player.read("ImageSum") == seen
    assert player.read("ImageUnit") == "counts"
