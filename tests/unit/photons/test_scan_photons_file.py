"""The file of a scan's photons: when there is one, and what stands in it."""

import json
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
from support.photons import (
    PHOTON_SETTINGS,
    close,
    flush,
    header,
    photon_frame,
    read_columns,
    read_frames,
    state,
)

from pipeline.photons.detection import finding_settings
from pipeline.photons.scan_photons import PhotonScan
from pipeline.protocols.batch import FrameStatus


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
