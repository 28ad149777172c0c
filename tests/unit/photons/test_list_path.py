"""Where photon files go, and that nothing is ever overwritten."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.photons.list_path import PhotonFileError, photon_path, put_in_place


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "raw, expected",
    [
        ("/data/visitors/raw/a/scan.h5", "/data/visitors/process/a/scan_xye.h5"),
        ("/raw/scan.h5", "/process/scan_xye.h5"),
        ("/raw/x/raw/y/scan.h5", "/raw/x/process/y/scan_xye.h5"),
        ("/data/rawdata/scan.h5", "/data/rawdata/process/scan_xye.h5"),
        ("/data/Raw/scan.h5", "/data/Raw/process/scan_xye.h5"),
        ("/data/scan.h5", "/data/process/scan_xye.h5"),
        ("/scan.h5", "/process/scan_xye.h5"),
        ("/data/raw", "/data/process/raw_xye.h5"),
        ("/data/raw/raw.h5", "/data/process/raw_xye.h5"),
        ("/data/raw/sample_1.5keV", "/data/process/sample_1.5keV_xye.h5"),
        ("/data/raw/scan.1.H5", "/data/process/scan.1_xye.h5"),
        ("/data/raw/scan 1 µm.nxs", "/data/process/scan 1 µm_xye.h5"),
        ("/data/raw/..scan.h5", "/data/process/..scan_xye.h5"),
    ],
)
def test_path_of_the_photon_file(raw, expected):
    assert photon_path(raw) == Path(expected)


@pytest.mark.parametrize(
    "raw, words",
    [
        ("raw/scan.h5", "relative"),
        ("scan.h5", "relative"),
        ("../raw/scan.h5", "relative"),
        ("/data/raw/../scan.h5", r"'\.\.'"),
        ("/data/raw/..", r"'\.\."),
        ("/data/raw/a\x00b.h5", "cannot be printed"),
        ("/data/raw/a\nb.h5", "cannot be printed"),
        ("/data/raw/", "folder"),
        ("/", "folder"),
    ],
)
def test_paths_that_are_refused(raw, words):
    with pytest.raises(PhotonFileError, match=words) as caught:
        photon_path(raw)
    assert repr(raw) in str(caught.value)


def test_a_taken_name_gets_a_number(tmp_path):
    path = tmp_path / "process" / "a_xye.h5"
    names = [put_in_place(path, lambda p, n=n: p.write_text(str(n)) and None).name for n in "012"]
    assert names == ["a_xye.h5", "a_xye_1.h5", "a_xye_2.h5"]
    assert [(path.parent / name).read_text() for name in names] == ["0", "1", "2"]
    assert names_in(path.parent) == sorted(names)


def test_many_at_once_overwrite_nothing(tmp_path):
    path = tmp_path / "a.h5"

    def make(number: int) -> Path:
        return put_in_place(path, lambda p: p.write_text(str(number)) and None)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(40)))
    assert len(set(made)) == 40
    assert [int(p.read_text()) for p in made] == list(range(40))
    assert len(names_in(tmp_path)) == 40


def test_a_share_without_hard_links_works_too(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a.h5"
    names = [put_in_place(path, lambda p, n=n: p.write_text(n) and None).name for n in "01"]
    assert names == ["a.h5", "a_1.h5"]
    assert path.read_text() == "0"
    assert names_in(tmp_path) == ["a.h5", "a_1.h5"]


def test_a_dangling_link_is_not_followed(tmp_path):
    path = tmp_path / "a.h5"
    path.symlink_to(tmp_path / "elsewhere")
    assert put_in_place(path, lambda p: p.write_text("x") and None).name == "a_1.h5"
    assert not (tmp_path / "elsewhere").exists()


def test_nothing_is_left_behind_by_a_failure(tmp_path):
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        put_in_place(tmp_path / "a.h5", fail)
    assert names_in(tmp_path) == []
