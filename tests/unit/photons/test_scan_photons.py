"""A scan's photons: counted, judged, published and written."""

import re
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.photons import PHOTON_SETTINGS, header, photon_frame, read_columns, skipped_frame

from pipeline.photons.scan_photons import FLUSH_INTERVAL, MAX_WAITING, PhotonScan
from pipeline.protocols.batch import PhotonFrame, PhotonList
from pipeline.protocols.tree import leaves


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def scan(tmp_path: Path) -> PhotonScan:
    return PhotonScan(header(tmp_path / "raw" / "s.h5"), PHOTON_SETTINGS)


def state(scan: PhotonScan) -> dict:
    return leaves(scan.publish()[0])


def test_a_whole_scan(scan, rng, tmp_path):
    frames = [photon_frame(rng, n) for n in (50, 0, 70, 1)]
    scan.tick(0)
    for event, frame in enumerate(frames):
        scan.add(event, event + 10, frame)
        scan.tick(event + 1)
    scan.close(True)
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
    assert columns["frame"].tolist() == [10] * 50 + [12] * 70 + [13]
    for name in ("y", "x", "energy"):
        expected = np.concatenate([getattr(frame.photons, name) for frame in frames])
        np.testing.assert_array_equal(columns[name], expected)
    with h5py.File(published["filename"]) as file:
        assert file["entry/complete"][()] == 1
        assert file["entry/frames_seen"][()] == 4
        assert file["entry/energy_histogram/counts"][()].sum() == 121


def test_the_file_stands_at_the_first_tick_and_may_be_empty(scan):
    assert state(scan)["filename"] == ""
    scan.tick(0)
    assert Path(state(scan)["filename"]).exists()
    scan.close(True)
    assert read_columns(state(scan)["filename"])["y"].size == 0


def test_a_scan_that_ends_before_the_first_tick_is_written(scan, rng):
    scan.add(0, 0, photon_frame(rng, 3))
    scan.close(True)
    assert len(read_columns(state(scan)["filename"])["y"]) == 3


def test_photons_are_on_disk_after_a_tick(scan, rng):
    scan.tick(0)
    scan.add(0, 0, photon_frame(rng, 3))
    scan.tick(FLUSH_INTERVAL / 2)
    assert _on_disk(scan) == 0
    scan.tick(FLUSH_INTERVAL)
    assert _on_disk(scan) == 3
    scan.close(False)


def _on_disk(scan: PhotonScan) -> int:
    path = Path(state(scan)["filename"])
    copy = path.with_suffix(".copy")
    copy.write_bytes(path.read_bytes())
    return len(read_columns(copy)["y"])


def test_published_values_are_plain(scan, rng):
    scan.add(0, 0, photon_frame(rng, 3))
    photons, histogram = scan.publish()
    for group in (photons, histogram):
        for path, value in leaves(group).items():
            assert isinstance(value, int | float | str | np.ndarray), path
            assert not isinstance(value, np.generic | bool), path
    assert len(histogram.energy) == PHOTON_SETTINGS.histogram_bins
    scan.close(False)


def test_scalars_without_a_value_are_left_out(scan):
    assert not {"pileup_fraction", "hit_density", "save_raw"} & set(state(scan))
    outside = PhotonFrame(PhotonList(*(np.empty(0, np.float32),) * 3), float("nan"), False)
    scan.add(0, 0, outside)
    assert "hit_density" not in state(scan)


@pytest.mark.parametrize("value, published", [(True, 1), (False, 0), ("yes", None), (None, None)])
def test_save_raw_as_the_header_says(value, published, tmp_path):
    scan = PhotonScan(header(tmp_path / "s.h5", save_raw=value), PHOTON_SETTINGS)
    assert state(scan).get("save_raw") == published


def test_the_histogram_follows_its_settings_without_losing_photons(scan, rng):
    scan.add(0, 0, photon_frame(rng, 500))
    narrow = PHOTON_SETTINGS.replaced("histogram_min", 1150.0).replaced("histogram_max", 1200.0)
    scan.update(narrow.replaced("histogram_bins", 5))
    assert 0 < scan.publish()[1].counts.sum() < 500
    assert scan.publish()[1].energy.tolist() == [1155, 1165, 1175, 1185, 1195]
    scan.update(PHOTON_SETTINGS)
    assert scan.publish()[1].counts.sum() == 500
    scan.update(PHOTON_SETTINGS.replaced("histogram_min", 2000.0))
    assert scan.publish()[1].counts.size == 0


def test_pile_up_is_seen_in_alarm_trust_and_frames(scan, rng):
    scan.add(0, 5, photon_frame(rng, 200))
    assert state(scan)["trusted"] == 1
    scan.add(1, 6, photon_frame(rng, 10, energy=2400))
    published = state(scan)
    assert published["pileup_fraction"] == 10 / 210
    assert (published["trusted"], published["may_drop_raw"]) == (0, 0)
    assert published["untrusted_frames"] == "5-6"
    assert "PileupThreshold" in published["reason"]
    assert scan.alarms() == [published["reason"]]
    assert scan.summary.pileup == 10
    scan.update(PHOTON_SETTINGS.replaced("pileup_threshold", 3000))
    assert state(scan)["trusted"] == 1


def test_skipped_frames_are_named(scan, rng):
    scan.add(0, 0, photon_frame(rng, 200))
    for frame in (1, 2, 5):
        scan.add(frame, frame, skipped_frame())
    published = state(scan)
    assert published["skipped_frames"] == 3
    assert published["hit_density"] == 0.5
    assert published["trusted"] == 0
    assert published["untrusted_frames"] == "1-2, 5"
    assert "3 frames" in published["reason"]
    assert "MaxHitDensity" in scan.alarms()[0]
    scan.close(True)
    with h5py.File(published["filename"] or state(scan)["filename"]) as file:
        assert file["entry/frames_seen"][()] == 4
        assert file["entry/frames_skipped"][()] == 3


@pytest.mark.parametrize(
    "filename, words", [("data/raw/s.h5", "relative"), ("/data/raw/../s.h5", r"'\.\.'")]
)
def test_a_bad_file_name_is_an_alarm_and_photons_are_counted(filename, words, rng):
    scan = PhotonScan(header(filename), PHOTON_SETTINGS)
    scan.tick(0)
    scan.add(0, 0, photon_frame(rng, 200))
    scan.tick(1)
    scan.close(True)
    published = state(scan)
    assert published["count"] == 200
    assert published["trusted"] == 0
    assert published["filename"] == ""
    assert published["untrusted_frames"] == "0"
    assert re.search(words, published["reason"])
    assert scan.alarms() == [published["reason"]]


def test_a_folder_that_cannot_be_written_is_an_alarm(tmp_path, rng):
    (tmp_path / "process").write_text("no folder")
    scan = PhotonScan(header(tmp_path / "raw" / "s.h5"), PHOTON_SETTINGS)
    scan.add(0, 7, photon_frame(rng, 200))
    scan.tick(0)
    scan.add(1, 8, photon_frame(rng, 200))
    scan.close(True)
    published = state(scan)
    assert published["count"] == 400
    assert published["trusted"] == 0
    assert published["untrusted_frames"] == "7-8"
    assert "s_xye.h5 could not be created" in scan.alarms()[0]


@pytest.mark.parametrize("start", [None, header("")])
def test_live_viewing_writes_nothing(start, rng):
    scan = PhotonScan(start, PHOTON_SETTINGS)
    scan.tick(0)
    scan.add(0, 0, photon_frame(rng, 200))
    scan.close(True)
    published = state(scan)
    assert published["filename"] == ""
    assert (published["trusted"], published["may_drop_raw"]) == (1, 0)
    assert "names no raw file" in published["reason"]
    assert scan.alarms() == []


def test_write_photons_off_writes_nothing(tmp_path, rng):
    off = PHOTON_SETTINGS.replaced("write_photons", False)
    scan = PhotonScan(header(tmp_path / "raw" / "s.h5"), off)
    scan.tick(0)
    scan.add(0, 0, photon_frame(rng, 200))
    scan.close(True)
    assert list(tmp_path.iterdir()) == []
    assert state(scan)["may_drop_raw"] == 0
    assert state(scan)["untrusted_frames"] == "0"


def test_write_photons_switched_during_the_scan(tmp_path, rng):
    off = PHOTON_SETTINGS.replaced("write_photons", False)
    scan = PhotonScan(header(tmp_path / "raw" / "s.h5"), off)
    for frame, settings in enumerate([off, PHOTON_SETTINGS, off, PHOTON_SETTINGS]):
        scan.update(settings)
        scan.add(frame, frame, photon_frame(rng, 100))
        scan.tick(frame)
    scan.close(True)
    path = state(scan)["filename"]
    assert set(read_columns(path)["frame"].tolist()) == {1, 3}
    assert state(scan)["untrusted_frames"] == "0, 2"
    with h5py.File(path) as file:
        assert len(file["entry/process/changes"]) == 3


def test_no_photon_roi_makes_no_file(tmp_path):
    scan = PhotonScan(header(tmp_path / "raw" / "s.h5"), PHOTON_SETTINGS.replaced("photon_roi", ""))
    scan.tick(0)
    scan.close(True)
    assert list(tmp_path.iterdir()) == []


def test_late_photons_after_the_end(scan, rng):
    scan.add(0, 0, photon_frame(rng, 5))
    scan.close(False)
    scan.add(1, 1, photon_frame(rng, 6))
    assert scan.count == 11
    scan.tick(10)
    path = state(scan)["filename"]
    assert len(read_columns(path)["y"]) == 11
    with h5py.File(path) as file:
        assert file["entry/complete"][()] == 0
    scan.add(2, 2, photon_frame(rng, 7))
    scan.close(True)
    assert len(read_columns(path)["y"]) == 18
    with h5py.File(path) as file:
        assert file["entry/complete"][()] == 1
        assert file["entry/frames_seen"][()] == 3


def test_closing_again_does_nothing_and_takes_nothing_back(scan, rng):
    scan.add(0, 0, photon_frame(rng, 5))
    scan.close(True)
    path = Path(state(scan)["filename"])
    before = path.stat().st_mtime_ns
    scan.close(True)
    scan.close(False)
    scan.update(PHOTON_SETTINGS.replaced("energy_threshold", 900))
    scan.tick(100)
    assert path.stat().st_mtime_ns == before


def test_a_disk_that_is_too_slow_does_not_fill_the_memory(scan, rng):
    many = photon_frame(rng, MAX_WAITING // 4)
    for frame in range(6):
        scan.add(frame, frame, many)
    assert "too slow" in scan.alarms()[0]
    assert state(scan)["trusted"] == 0
    assert scan.count == 6 * (MAX_WAITING // 4)
    scan.close(True)
    assert state(scan)["filename"] == ""


def test_threads_lose_nothing(scan, rng):
    """The reducer adds while the timer writes and clients read."""
    frames = [photon_frame(rng, 30) for _ in range(50)]
    done = threading.Event()
    problems: list[Exception] = []

    def timer() -> None:
        now = 0.0
        try:
            while not done.is_set():
                now += 1
                scan.tick(now)
                scan.publish()
                scan.update(PHOTON_SETTINGS.replaced("energy_threshold", 800 + now % 2))
        except Exception as error:  # noqa: BLE001 - told to the test
            problems.append(error)

    thread = threading.Thread(target=timer)
    thread.start()
    for event in range(600):
        scan.add(event, event, frames[event % 50])
    done.set()
    thread.join()
    scan.close(True)
    assert problems == []
    columns = read_columns(state(scan)["filename"])
    np.testing.assert_array_equal(columns["frame"], np.repeat(np.arange(600), 30))
    assert scan.count == 18_000


def test_adding_does_not_wait_for_the_disk(scan, rng, monkeypatch):
    writing, go_on = threading.Event(), threading.Event()
    write = type(scan._writer).write

    def slow(*arguments: object) -> bool:
        writing.set()
        assert go_on.wait(30)
        return write(*arguments)

    monkeypatch.setattr(type(scan._writer), "write", slow)
    thread = threading.Thread(target=scan.tick, args=(0,))
    thread.start()
    assert writing.wait(30)
    scan.add(0, 0, photon_frame(rng, 5))
    scan.update(PHOTON_SETTINGS)
    assert state(scan)["count"] == 5
    assert scan.alarms() == []
    go_on.set()
    thread.join()
    scan.close(True)
    assert len(read_columns(state(scan)["filename"])["y"]) == 5
