"""A scan's photons: counted, judged and published."""

import threading
from dataclasses import replace

import h5py
import numpy as np
import pytest
from support.photons import (
    NO_PHOTONS,
    PHOTON_SETTINGS,
    close,
    flush,
    header,
    photon_frame,
    read_columns,
    read_frames,
    skipped_frame,
    state,
)

from pipeline.photons.scan_photons import PhotonScan
from pipeline.protocols.batch import PhotonFrame
from pipeline.protocols.tree import leaves


def test_a_whole_scan(scan, rng, tmp_path):
    frames = [photon_frame(rng, n) for n in (50, 0, 70, 1)]
    flush(scan)
    for event, frame in enumerate(frames):
        scan.add(event, frame)
        flush(scan)
    close(scan, True)
    largest = [f.photons.energy.max() if len(f.photons) else np.nan for f in frames]
    np.testing.assert_array_equal(scan.largest_energies(), largest)
    published = state(scan)
    assert published == {
        "count": 121,
        "pileup_fraction": 0.0,
        "hit_density": 1e-4,
        "skipped_frames": 0,
        "trusted": 1,
        "may_drop_raw": 1,
        "reason": "",
        "filename": str(tmp_path / "process" / "s_xye.h5"),
        "untrusted_frames": "",
    }
    assert scan.count == 121
    assert scan.alarms() == []
    columns = read_columns(published["filename"])
    assert columns["frame"].tolist() == [0] * 50 + [2] * 70 + [3]
    for name in ("y", "x", "energy"):
        expected = np.concatenate([getattr(frame.photons, name) for frame in frames])
        np.testing.assert_array_equal(columns[name], expected)
    with h5py.File(published["filename"]) as file:
        assert file["entry/complete"][()] == 1
        assert file["entry/energy_histogram/counts"][()].sum() == 121
    assert read_frames(published["filename"]) == [(0, 0, 50), (1, 0, 0), (2, 0, 70), (3, 0, 1)]
    assert scan.durable == ((0, 3),)
    assert scan.oldest_waiting is None


def test_published_values_are_plain(scan, rng):
    scan.add(0, photon_frame(rng, 3))
    photons, histogram = scan.publish()
    for group in (photons, histogram):
        for path, value in leaves(group).items():
            assert isinstance(value, int | float | str | np.ndarray), path
            assert not isinstance(value, np.generic | bool), path
    assert len(histogram.energy) == PHOTON_SETTINGS.histogram_bins
    close(scan, False)


def test_scalars_without_a_value_are_left_out(scan):
    assert not {"pileup_fraction", "hit_density", "save_raw"} & set(state(scan))
    outside = PhotonFrame(NO_PHOTONS, float("nan"), False)
    scan.add(0, outside)
    assert "hit_density" not in state(scan)


@pytest.mark.parametrize("value, published", [(True, 1), (False, 0), ("yes", None), (None, None)])
def test_save_raw_as_the_header_says(value, published, tmp_path):
    scan = PhotonScan(header(tmp_path / "s.h5", save_raw=value), PHOTON_SETTINGS)
    assert state(scan).get("save_raw") == published


def test_the_histogram_follows_its_settings_without_losing_photons(scan, rng):
    scan.add(0, photon_frame(rng, 500))
    narrow = PHOTON_SETTINGS.replaced("histogram_min", 1150.0).replaced("histogram_max", 1200.0)
    scan.update(narrow.replaced("histogram_bins", 5))
    assert 0 < scan.publish()[1].counts.sum() < 500
    assert scan.publish()[1].energy.tolist() == [1155, 1165, 1175, 1185, 1195]
    scan.update(PHOTON_SETTINGS)
    assert scan.publish()[1].counts.sum() == 500
    scan.update(PHOTON_SETTINGS.replaced("histogram_min", 2000.0))
    assert scan.publish()[1].counts.size == 0


def test_pile_up_is_seen_in_alarm_trust_and_frames(scan, rng):
    scan.add(0, photon_frame(rng, 200))
    assert state(scan)["trusted"] == 1
    scan.add(1, photon_frame(rng, 10, energy=2400))
    published = state(scan)
    assert published["pileup_fraction"] == 10 / 210
    assert (published["trusted"], published["may_drop_raw"]) == (0, 0)
    assert published["untrusted_frames"] == "0-1"
    assert "PileupThreshold" in published["reason"]
    assert scan.alarms() == [published["reason"]]
    assert scan.summary.pileup == 10
    scan.update(PHOTON_SETTINGS.replaced("max_pileup", 0.05))
    assert state(scan)["trusted"] == 1


def overlapping(rng: np.random.Generator, count: int, pairs: int) -> PhotonFrame:
    """Return a frame in which some photons overlap; their energies are good ones."""
    frame = photon_frame(rng, count)
    flags = np.zeros(count, np.uint8)
    flags[: 2 * pairs] = 1
    flags[2 * pairs :] = 4
    return replace(frame, photons=replace(frame.photons, flags=flags))


def test_photons_that_overlap_count_as_pile_up(scan, rng):
    scan.add(0, overlapping(rng, 200, 1))
    assert state(scan)["pileup_fraction"] == 2 / 200
    assert state(scan)["trusted"] == 1
    scan.add(1, overlapping(rng, 200, 9))
    assert state(scan)["pileup_fraction"] == 20 / 400
    assert "overlap" in scan.alarms()[0]


def test_a_beam_that_gets_stronger_is_noticed_after_millions_of_good_photons(scan, rng):
    good = overlapping(rng, 50_000, 100)
    for frame in range(20):
        scan.add(frame, good)
    assert state(scan)["trusted"] == 1
    frame = 20
    while state(scan)["trusted"]:
        scan.add(frame, overlapping(rng, 1700, 50))
        frame += 1
    assert state(scan)["pileup_fraction"] < 0.01
    assert (frame - 20) * 1700 < 10_000


def test_skipped_frames_are_named(scan, rng):
    scan.add(0, photon_frame(rng, 200))
    for frame in (1, 2, 3):
        scan.add(frame, skipped_frame())
    published = state(scan)
    assert published["skipped_frames"] == 3
    assert published["hit_density"] == 0.5
    assert published["trusted"] == 0
    assert published["untrusted_frames"] == "1-3"
    assert "3 frames" in published["reason"]
    assert "MaxHitDensity" in scan.alarms()[0]
    close(scan, True)
    frames = read_frames(state(scan)["filename"])
    assert frames == [(0, 0, 200), (1, 1, 0), (2, 1, 0), (3, 1, 0)]


def test_threads_lose_nothing(scan, rng):
    """The reducer adds while the timer asks and clients read."""
    frames = [photon_frame(rng, 30) for _ in range(50)]
    done = threading.Event()
    problems: list[Exception] = []

    def timer() -> None:
        try:
            while not done.is_set():
                scan.flush()
                scan.publish()
                scan.update(PHOTON_SETTINGS.replaced("histogram_bins", 100))
        except Exception as error:  # noqa: BLE001 - told to the test
            problems.append(error)

    thread = threading.Thread(target=timer)
    thread.start()
    for event in range(600):
        scan.add(event, frames[event % 50])
    done.set()
    thread.join()
    close(scan, True)
    assert problems == []
    columns = read_columns(state(scan)["filename"])
    np.testing.assert_array_equal(columns["frame"], np.repeat(np.arange(600), 30))
    assert scan.count == 18_000
