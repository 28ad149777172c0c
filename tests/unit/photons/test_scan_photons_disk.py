"""A scan's photons while the disk fails, hangs or fills up."""

import errno
import os
import re
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.disks import wait_at_fsync
from support.photons import (
    PHOTON_SETTINGS,
    close,
    flush,
    header,
    photon_frame,
    read_columns,
    state,
)

from pipeline.photons.list_writer import MAX_WAITING
from pipeline.photons.scan_photons import PhotonScan


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
