"""Photon scans through workers and reducer: the file holds what the kernel finds."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.dispatch import Dispatch, header, image, parameters, series_end
from support.photons import read_columns
from support.waiting import wait_for

from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.detection import clean_image, find_photons_with
from pipeline.protocols.batch import PhotonFrame
from pipeline.simulation.balor import stream_balor_frames

SHAPE = (120, 160)
ROI = Roi(20, 10, 120, 100)
REGION = json.dumps(ROI.as_dict())


def offline(frame: np.ndarray, settings: Settings) -> PhotonFrame:
    return find_photons_with(settings, frame, ROI)


def simulated(number: int, seed: int = 0, density: float = 3e-4) -> list[np.ndarray]:
    frames = stream_balor_frames(np.random.default_rng(seed), SHAPE, density, hot_pixels=3)
    return [next(frames)[0] for _ in range(number)]


def photon_scan(run: Dispatch, raw: Path, frames: list[np.ndarray], **camera: object) -> None:
    run.to_all(andor3_balor=header(str(raw), **camera))
    for number, frame in enumerate(frames):
        run.to_one(andor3_balor=image(number, frame))
        if number % 7 == 0:
            run.deliver(at_most=3)
        if number % 50 == 0:
            run.reducer.timer(parameters(run.settings[0]))
    run.to_all(andor3_balor=series_end())
    run.deliver()
    run.reducer.timer(parameters(run.settings[0]))


def wait_complete(path: str) -> None:
    """The file is closed by the reducer's timer, or at the end event."""

    def complete() -> bool:
        with h5py.File(path, locking=False) as file:
            return bool(file["entry/complete"][()])

    wait_for(complete, f"{path} is complete")


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_file_holds_exactly_what_the_kernel_finds_offline(workers, tmp_path):
    frames = simulated(200)
    run = Dispatch(workers, seed=workers)
    run.change(photon_roi=REGION, accumulate=True)
    photon_scan(run, tmp_path / "raw" / "scan.h5", frames, save_raw=True)
    found = [offline(frame, run.settings[0]) for frame in frames]
    published = run.published["photons"]
    total = sum(len(frame.photons) for frame in found)
    assert total > 300
    assert published["count"] == total
    assert published["trusted"] == 1, published["reason"]
    assert published["may_drop_raw"] == 1
    assert published["save_raw"] == 1
    assert published["filename"] == str(tmp_path / "process" / "scan_xye.h5")
    wait_complete(published["filename"])
    columns = read_columns(published["filename"])
    for name in ("y", "x", "energy", "flags"):
        expected = np.concatenate([getattr(frame.photons, name) for frame in found])
        np.testing.assert_array_equal(columns[name], expected)
    numbers = np.repeat(np.arange(200), [len(frame.photons) for frame in found])
    np.testing.assert_array_equal(columns["frame"], numbers)
    with h5py.File(published["filename"]) as file:
        assert file["entry/frames/frame"][()].tolist() == list(range(200))
        assert not file["entry/frames/status"][()].any()
        assert len(file["entry/process/changes/frame"]) == 1
    clean = sum(
        clean_image(frame.photons, run.settings[0].view_threshold, SHAPE, ROI) for frame in found
    )
    tree = run.published
    assert tree["image_unit"] == "counts"
    np.testing.assert_array_equal(np.asarray(tree["image"]), clean)
    outside = np.array(tree["image"])
    outside[ROI.slices(SHAPE)] = 0
    assert not outside.any()


def test_skipped_frames_enter_no_sum_and_end_trust(tmp_path):
    frames = simulated(40, density=4e-4)
    dense = simulated(1, seed=1, density=3e-2)[0]
    frames[10] = frames[11] = dense
    run = Dispatch(2)
    run.change(photon_roi=REGION, accumulate=True, rois=json.dumps({"all": ROI.as_dict()}))
    photon_scan(run, tmp_path / "raw" / "scan.h5", frames)
    tree = run.published
    assert tree["photons"]["skipped_frames"] == 2
    assert tree["photons"]["trusted"] == 0
    assert tree["photons"]["untrusted_frames"] == "10-11"
    assert tree["accumulated_number"] == 38
    means = np.asarray(tree["roi_means"]["all"])
    assert np.isnan(means[10:12]).all()
    assert np.isfinite(np.delete(means, [10, 11])).all()
    assert any("skipped" in alarm for alarm in tree["health"]["alarms"])


def test_trust_of_the_scan_before_holds_until_the_next_has_photons(tmp_path):
    run = Dispatch(2)
    run.change(photon_roi=REGION)
    photon_scan(run, tmp_path / "raw" / "a.h5", simulated(80, density=4e-4))
    assert run.published["photons"]["may_drop_raw"] == 1
    run.new_scan()
    assert run.published["photons"]["may_drop_raw"] == 1
    photon_scan(run, tmp_path / "raw" / "b.h5", simulated(1, density=4e-4))
    assert run.published["photons"]["count"] < 100
    assert run.published["photons"]["may_drop_raw"] == 1, run.published["photons"]["reason"]
    run.new_scan()
    run.change(max_hit_density=1.0)
    photon_scan(run, tmp_path / "raw" / "c.h5", simulated(5, density=9e-3))
    assert run.published["photons"]["pileup_fraction"] > 0.02
    assert run.published["photons"]["may_drop_raw"] == 0
    run.new_scan()
    photon_scan(run, tmp_path / "raw" / "d.h5", simulated(1, density=1e-4))
    assert run.published["photons"]["may_drop_raw"] == 0


def test_a_refused_file_name_is_an_alarm_and_the_scan_goes_on(tmp_path):
    run = Dispatch(2)
    run.change(photon_roi=REGION)
    photon_scan(run, tmp_path / "raw" / ".." / "scan.h5", simulated(60))
    tree = run.published
    assert tree["photons"]["count"] > 100
    assert tree["photons"]["trusted"] == 0
    assert any("'..'" in alarm for alarm in tree["health"]["alarms"])
    assert list(tmp_path.iterdir()) == []


def test_results_after_a_cut_off_are_written_too(tmp_path):
    frames = simulated(30, density=4e-4)
    run = Dispatch(3)
    run.change(photon_roi=REGION)
    run.to_all(andor3_balor=header(str(tmp_path / "raw" / "scan.h5")))
    for number, frame in enumerate(frames):
        run.to_one(worker=number % 3, lost=number >= 27, andor3_balor=image(number, frame))
    run.deliver(at_most=10)
    run.reducer.timer(parameters(run.settings[0]))
    run.new_scan()
    photon_scan(run, tmp_path / "raw" / "next.h5", frames)
    run.reducer.close()
    columns = read_columns(tmp_path / "process" / "scan_xye.h5")
    expected = np.repeat(np.arange(30), [len(offline(f, run.settings[0]).photons) for f in frames])
    np.testing.assert_array_equal(np.sort(columns["frame"]), expected)
