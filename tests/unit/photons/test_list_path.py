"""Where photon files go."""

from pathlib import Path

import pytest

from pipeline.photons.list_path import PhotonFileError, photon_path


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
