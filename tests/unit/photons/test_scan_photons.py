"""A scan's photons: counted, judged, published and written."""

import errno
import json
import os
import re
import threading
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.disks import wait_at_fsync
from support.photons import (
    NO_PHOTONS,
    PHOTON_SETTINGS,
    header,
    photon_frame,
    read_columns,
    read_frames,
    skipped_frame,
)

from pipeline.photons.detection import finding_settings
from pipeline.photons.list_writer import MAX_WAITING
from pipeline.photons.scan_photons import PhotonScan
from pipeline.protocols.batch import FrameStatus, PhotonFrame
from pipeline.protocols.tree import leaves


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def scan(tmp_path: Path) -> PhotonScan:
    return PhotonScan(header(tmp_path / "raw" / "s.h5"), PHOTON_SETTINGS)


def state(scan: PhotonScan) -> dict:
    return leaves(scan.publish()[0])


def flush(scan: PhotonScan) -> None:
    scan.flush()
    assert scan.wait(30)


def close(scan: PhotonScan, ended: bool) -> None:
    scan.close(ended)
    assert scan.wait(30)
    assert scan.settled


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


def test_the_file_stands_from_the_header_on_and_may_be_empty(scan):
    assert scan.wait(30)  # nobody need ask for it
    assert Path(state(scan)["filename"]).exists()
    close(scan, True)
    assert read_columns(state(scan)["filename"])["y"].size == 0


def test_a_scan_that_ends_before_the_first_flush_is_written(scan, rng):
    scan.add(0, photon_frame(rng, 3))
    close(scan, True)
    assert len(read_columns(state(scan)["filename"])["y"]) == 3


def test_photons_are_on_disk_after_a_flush(scan, rng):
    flush(scan)
    scan.add(0, photon_frame(rng, 3))
    assert scan.oldest_waiting is not None
    assert scan.oldest_waiting[0] == 0
    assert scan.wait(30)  # nobody need ask for it
    assert len(read_columns(state(scan)["filename"])["y"]) == 3
    close(scan, False)


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


@pytest.mark.parametrize(
    "filename, words", [("data/raw/s.h5", "relative"), ("/data/raw/../s.h5", r"'\.\.'")]
)
def test_a_bad_file_name_is_an_alarm_and_photons_are_counted(filename, words, rng):
    scan = PhotonScan(header(filename), PHOTON_SETTINGS)
    scan.add(0, photon_frame(rng, 200))
    flush(scan)
    flush(scan)
    close(scan, True)
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
    scan.add(0, photon_frame(rng, 200))
    flush(scan)
    scan.add(1, photon_frame(rng, 200))
    close(scan, True)
    published = state(scan)
    assert published["count"] == 400
    assert published["trusted"] == 0
    assert published["untrusted_frames"] == "0-1"
    assert "s_xye.h5 could not be created" in scan.alarms()[0]


@pytest.mark.parametrize(
    ("start", "words"), [(None, "header of this series was not seen"), (header(""), "no raw file")]
)
def test_live_viewing_writes_nothing(start, words, rng):
    scan = PhotonScan(start, PHOTON_SETTINGS)
    flush(scan)
    scan.add(0, photon_frame(rng, 200))
    close(scan, True)
    published = state(scan)
    assert published["filename"] == ""
    assert (published["trusted"], published["may_drop_raw"]) == (1, 0)
    assert words in published["reason"]
    assert scan.alarms() == []


def test_write_photons_off_writes_nothing(tmp_path, rng):
    off = PHOTON_SETTINGS.replaced("write_photons", False)
    scan = PhotonScan(header(tmp_path / "raw" / "s.h5"), off)
    flush(scan)
    scan.add(0, replace(photon_frame(rng, 200), write=False))
    close(scan, True)
    assert list(tmp_path.iterdir()) == []
    assert state(scan)["may_drop_raw"] == 0
    assert state(scan)["untrusted_frames"] == "0"


def test_settings_travel_with_each_frame(tmp_path, rng):
    """Also those that were changed and changed back between two flushes."""
    off = PHOTON_SETTINGS.replaced("write_photons", False)
    low = PHOTON_SETTINGS.replaced("energy_threshold", 700)
    scan = PhotonScan(header(tmp_path / "raw" / "s.h5"), off)
    for frame, settings in enumerate([off, PHOTON_SETTINGS, low, PHOTON_SETTINGS, off]):
        found = replace(
            photon_frame(rng, 100),
            settings=finding_settings(settings),
            write=settings.write_photons,
        )
        scan.add(frame, found)
    close(scan, True)
    path = state(scan)["filename"]
    assert set(read_columns(path)["frame"].tolist()) == {1, 2, 3}
    assert state(scan)["untrusted_frames"] == "0, 4"
    assert [status for _, status, _ in read_frames(path)] == [3, 0, 0, 0, 3]
    with h5py.File(path) as file:
        changes = file["entry/process/changes"]
        assert changes["frame"][()].tolist() == [0, 1, 2, 3, 4]
        settings = [json.loads(text) for text in changes["settings"][()]]
    assert [s["energy_threshold"] for s in settings] == [800, 800, 700, 800, 800]
    assert [s["write_photons"] for s in settings] == [False, True, True, True, False]


def test_every_frame_of_the_series_has_a_row(scan, rng):
    scan.add(2, photon_frame(rng, 200))  # two frames were lost on their way
    scan.miss(3, FrameStatus.NOT_SEARCHED)
    scan.miss(None, FrameStatus.FAILED)
    scan.lose(2)
    scan.miss(7, FrameStatus.DISCARDED)
    scan.add(8, photon_frame(rng, 5))
    close(scan, True)
    published = state(scan)
    statuses = [(frame, status) for frame, status, _ in read_frames(published["filename"])]
    assert statuses == [(0, 4), (1, 4), (2, 0), (3, 3), (4, 2), (5, 4), (6, 4), (7, 5), (8, 0)]
    assert published["may_drop_raw"] == 0
    assert published["untrusted_frames"] == "0-1, 3-6"
    assert scan.durable == ((2, 2), (8, 8))
    with h5py.File(published["filename"]) as file:
        assert file["entry/complete"][()] == 0
    # What was given up comes after all.
    for frame in (0, 1, 5, 6):
        scan.add(frame, photon_frame(rng, 1))
    close(scan, True)
    frames = read_frames(published["filename"])
    assert [row for row in frames if row[0] in (0, 1, 5, 6)] == [
        (0, 0, 1),
        (1, 0, 1),
        (5, 0, 1),
        (6, 0, 1),
    ]
    assert len(frames) == 9
    with h5py.File(published["filename"]) as file:
        assert file["entry/complete"][()] == 1


def test_a_broken_frame_number_makes_no_millions_of_rows(scan, rng):
    scan.add(0, photon_frame(rng, 200))
    scan.add(4_000_000_000, photon_frame(rng, 5))
    close(scan, True)
    published = state(scan)
    assert published["untrusted_frames"] == "1-3999999999"
    assert len(read_columns(published["filename"])["y"]) == 205
    with h5py.File(published["filename"]) as file:
        assert file["entry/complete"][()] == 0


def test_no_photon_roi_makes_no_file(tmp_path):
    scan = PhotonScan(header(tmp_path / "raw" / "s.h5"), PHOTON_SETTINGS.replaced("photon_roi", ""))
    flush(scan)
    close(scan, True)
    assert list(tmp_path.iterdir()) == []


def test_late_photons_after_the_end(scan, rng):
    scan.add(0, photon_frame(rng, 5))
    close(scan, False)
    scan.add(1, photon_frame(rng, 6))
    assert scan.count == 11
    flush(scan)
    path = state(scan)["filename"]
    assert len(read_columns(path)["y"]) == 11
    with h5py.File(path) as file:
        assert file["entry/complete"][()] == 0
    scan.add(2, photon_frame(rng, 7))
    close(scan, True)
    assert len(read_columns(path)["y"]) == 18
    with h5py.File(path) as file:
        assert file["entry/complete"][()] == 1


def test_closing_again_does_nothing_and_takes_nothing_back(scan, rng):
    scan.add(0, photon_frame(rng, 5))
    close(scan, True)
    path = Path(state(scan)["filename"])
    before = path.stat().st_mtime_ns
    close(scan, True)
    close(scan, False)
    scan.update(PHOTON_SETTINGS.replaced("energy_threshold", 900))
    flush(scan)
    assert path.stat().st_mtime_ns == before


@pytest.fixture
def hanging(scan, monkeypatch):
    """Let the disk hang until the event is set."""
    go_on = wait_at_fsync(monkeypatch)
    yield go_on
    go_on.set()
    assert scan.wait(60)


def test_a_disk_that_is_too_slow_does_not_fill_the_memory(scan, rng, hanging):
    many = photon_frame(rng, MAX_WAITING // 4)
    for frame in range(6):
        scan.add(frame, many)
    assert "too slow" in scan.alarms()[0]
    assert state(scan)["trusted"] == 0
    assert state(scan)["untrusted_frames"] == "0-5"
    assert scan.count == 6 * (MAX_WAITING // 4)
    hanging.set()
    close(scan, True)
    assert scan.durable == ()


def test_a_disk_that_hangs_stops_nobody_and_is_told_after_two_seconds(tmp_path, rng, monkeypatch):
    now = [0.0]
    scan = PhotonScan(header(tmp_path / "raw" / "s.h5"), PHOTON_SETTINGS, clock=lambda: now[0])
    now[0] = 10.0
    flush(scan)
    go_on = threading.Event()
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: fsync(fd) if go_on.wait(60) else None)
    for frame in range(50):
        scan.add(frame, photon_frame(rng, 10))
    now[0] = 11.4
    assert state(scan)["may_drop_raw"] == 1
    now[0] = 12.1
    scan.flush()
    scan.update(PHOTON_SETTINGS)
    assert scan.oldest_waiting == (0, 10.0)
    assert (state(scan)["may_drop_raw"], state(scan)["count"]) == (0, 500)
    assert "have waited 2 s" in scan.alarms()[0]
    assert state(scan)["untrusted_frames"] == "0-49"
    scan.close(True)
    assert scan.settled  # the end of the scan does not wait for the disk
    go_on.set()
    close(scan, True)
    assert state(scan)["may_drop_raw"] == 1, state(scan)["reason"]
    assert scan.alarms() == []
    assert len(read_columns(state(scan)["filename"])["y"]) == 500


@pytest.mark.parametrize("how", ["delete", "move"])
@pytest.mark.parametrize("then", ["a frame comes", "nothing comes"])
def test_a_file_that_is_taken_away_ends_trust(scan, rng, how, then):
    scan.add(0, photon_frame(rng, 200))
    flush(scan)
    assert state(scan)["may_drop_raw"] == 1
    path = Path(state(scan)["filename"])
    if how == "delete":
        path.unlink()
    else:
        path.rename(path.with_suffix(".moved"))
    if then == "a frame comes":
        scan.add(1, photon_frame(rng, 10))
    flush(scan)
    flush(scan)
    published = state(scan)
    assert (published["trusted"], published["may_drop_raw"]) == (0, 0)
    assert "deleted or moved" in published["reason"]
    assert scan.alarms() == [published["reason"]]
    assert published["untrusted_frames"] == ("0-1" if then == "a frame comes" else "0")
    assert scan.durable == ()
    scan.add(2, photon_frame(rng, 10))
    close(scan, True)
    assert scan.count >= 210


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("after", (0, 1, 9, 20, 45))
def test_a_write_that_is_refused_costs_what_was_not_flushed(scan, rng, monkeypatch, code, after):
    for frame in range(3):
        scan.add(frame, photon_frame(rng, 100))
    flush(scan)
    left = [after]
    pwrite = os.pwrite

    def refuse(fd: int, data: memoryview, place: int) -> int:
        if left[0] == 0:
            raise OSError(code, os.strerror(code))
        left[0] -= 1
        return pwrite(fd, data, place)

    monkeypatch.setattr(os, "pwrite", refuse)
    for frame in range(3, 9):
        scan.add(frame, photon_frame(rng, 5000))
        flush(scan)
    monkeypatch.undo()
    close(scan, True)
    published = state(scan)
    assert published["count"] == 300 + 6 * 5000
    assert os.strerror(code) in scan.alarms()[0]
    assert "start a new scan" in scan.alarms()[0]
    assert published["may_drop_raw"] == 0
    (safe,) = scan.durable
    assert published["untrusted_frames"] == (f"{safe[1] + 1}-8" if safe[1] < 7 else "8")
    columns = read_columns(published["filename"])
    for frame in range(safe[1] + 1):
        assert np.count_nonzero(columns["frame"] == frame) == (100 if frame < 3 else 5000)
    assert np.isfinite(columns["energy"]).all()


def test_what_nobody_thought_of_is_told_too(scan, rng):
    scan.add(0, photon_frame(rng, 200))
    flush(scan)
    broken = photon_frame(rng, 5)
    scan.add(1, replace(broken, photons=replace(broken.photons, flags=np.empty(3, np.uint8))))
    scan.add(2, photon_frame(rng, 5))
    close(scan, True)
    assert "could not be written" in scan.alarms()[0]
    assert state(scan)["may_drop_raw"] == 0
    assert len(read_columns(state(scan)["filename"])["y"]) == 200


def test_what_reads_otherwise_than_it_was_written_is_not_durable(scan, rng, monkeypatch):
    flush(scan)
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, place: bytes(len(pread(fd, size, place))))
    scan.add(0, photon_frame(rng, 200))
    flush(scan)
    assert "reads otherwise" in scan.alarms()[0]
    assert scan.durable == ()


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
