"""What stands in the photon file."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.photons import PHOTON_SETTINGS, read_columns

from pipeline.photons.list_file import PhotonFile, Rows, versions
from pipeline.photons.list_path import PhotonFileError

NOTHING = np.empty(0), np.empty(0, np.int64)


def rows(count: int, frame: int = 0) -> Rows:
    rng = np.random.default_rng(frame)
    return Rows(
        np.full(count, frame, np.uint32),
        *(rng.uniform(0, 2000, count).astype(np.float32) for _ in range(3)),
    )


@contextmanager
def on_disk(file: PhotonFile) -> Iterator[h5py.File]:
    """Open what a kill would leave now."""
    copy = shutil.copy(file.path, file.path.with_suffix(".copy"))
    with h5py.File(copy) as seen:
        yield seen


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw" / "sample" / "scan_7.h5"


def new_file(raw: Path) -> PhotonFile:
    return PhotonFile(str(raw), "andor3_balor", PHOTON_SETTINGS)


def test_columns_grow_and_stay_equal(raw):
    file = new_file(raw)
    parts = [rows(n, frame) for frame, n in enumerate((3, 0, 40_000, 1))]
    for part in parts:
        file.write(part, 1, 0)
    file.close(True, *NOTHING)
    columns = read_columns(file.path)
    for name, column in columns.items():
        np.testing.assert_array_equal(column, np.concatenate([getattr(p, name) for p in parts]))
    assert columns["frame"].dtype == np.uint32
    assert {columns[name].dtype for name in ("y", "x", "energy")} == {np.dtype(np.float32)}


def test_the_file_is_readable_from_the_start_while_it_is_written(raw):
    file = new_file(raw)
    with on_disk(file) as seen:
        assert seen["entry/complete"][()] == 0
        assert len(seen["entry/photons/energy"]) == 0
    file.write(rows(5), 3, 1)
    with on_disk(file) as seen:
        assert len(seen["entry/photons/energy"]) == 5
        assert seen["entry/frames_seen"][()] == 3
        assert seen["entry/frames_skipped"][()] == 1
        assert "end_time" not in seen["entry"]
    file.abandon()


def test_provenance(raw):
    file = new_file(raw)
    file.close(True, *NOTHING)
    with on_disk(file) as seen:
        entry = seen["entry"]
        assert entry["complete"][()] == 1
        assert entry["detector"].asstr()[()] == "andor3_balor"
        assert entry["photon_roi"][()].tolist() == [0, 0, 4128, 4104]
        assert entry["raw_file"].asstr()[()] == str(raw)
        parameters = entry["process/parameters"]
        assert json.loads(parameters.asstr()[()]) == PHOTON_SETTINGS.values()
        assert parameters.attrs["energy_threshold"] == 800
        assert parameters.attrs["energy_threshold_units"] == "ADU"
        programs = json.loads(entry["process/versions"].asstr()[()])
        assert programs == versions()
        assert {"femtotango", "numpy", "h5py", "dranspose"} <= set(programs)
        assert entry["process/version"].asstr()[()] == programs["femtotango"]
        assert entry["start_time"].asstr()[()] <= entry["end_time"].asstr()[()]


def test_the_raw_file_is_linked_also_when_both_are_moved_together(raw, tmp_path):
    raw.parent.mkdir(parents=True)
    with h5py.File(raw, "w") as file:
        file["entry/data"] = np.arange(3)
    photons = new_file(raw)
    photons.close(True, *NOTHING)
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    with h5py.File(moved / "process" / "sample" / "scan_7_xye.h5") as file:
        assert isinstance(file["entry"].get("raw", getlink=True), h5py.ExternalLink)
        assert file["entry/raw/entry/data"][()].tolist() == [0, 1, 2]


def test_changes_of_parameters_are_noted(raw):
    file = new_file(raw)
    later = PHOTON_SETTINGS.replaced("energy_threshold", 900).replaced(
        "photon_roi", '{"x": 1, "y": 2, "width": 3, "height": 4}'
    )
    file.note_settings(later, 12)
    file.close(True, *NOTHING)
    with on_disk(file) as seen:
        change = seen["entry/process/changes/0000"]
        assert json.loads(change.asstr()[()])["energy_threshold"] == 900
        assert change.attrs["frames_seen"] == 12
        assert seen["entry/photon_roi"][()].tolist() == [1, 2, 3, 4]
        assert json.loads(seen["entry/process/parameters"].asstr()[()])["energy_threshold"] == 800


def test_default_plots(raw):
    nxdata = pytest.importorskip("silx.io.nxdata", reason="silx comes with the extra 'gui'")
    file = new_file(raw)
    file.write(rows(50), 1, 0)
    with on_disk(file) as seen:
        plot = nxdata.get_default(seen)
        assert plot.is_scatter
        assert plot.signal_dataset_name == "energy"
        assert plot.axes_dataset_names == ["x", "y"]
    file.close(True, np.arange(20.0), np.arange(20))
    with on_disk(file) as seen:
        plot = nxdata.get_default(seen)
        assert plot.is_curve
        assert (plot.signal_dataset_name, plot.axes_dataset_names) == ("counts", ["energy"])


def test_nexus_classes(raw):
    file = new_file(raw)
    file.close(True, np.arange(20.0), np.arange(20))
    with on_disk(file) as seen:
        assert seen.attrs["default"] == "entry"
        assert seen["entry"].attrs["default"] == "energy_histogram"
        classes = {"": "NXroot", "entry": "NXentry", "entry/process": "NXprocess"}
        classes |= {f"entry/{name}": "NXdata" for name in ("photons", "energy_histogram")}
        for path, name in classes.items():
            assert seen[path or "/"].attrs["NX_class"] == name


def test_late_photons_are_appended_after_the_end(raw):
    file = new_file(raw)
    file.write(rows(3), 1, 0)
    file.close(True, np.arange(5.0), np.arange(5))
    file.write(rows(4, 1), 2, 0)
    file.close(True, np.arange(7.0), np.arange(7))
    assert read_columns(file.path)["frame"].tolist() == [0] * 3 + [1] * 4
    with on_disk(file) as seen:
        assert seen["entry/energy_histogram/counts"][()].tolist() == list(range(7))


def test_an_existing_file_is_never_overwritten(raw):
    first = new_file(raw)
    first.write(rows(3), 1, 0)
    second = new_file(raw)
    second.write(rows(4), 1, 0)
    for file in (first, second):
        file.close(True, *NOTHING)
    assert first.path.name == "scan_7_xye.h5"
    assert second.path.name == "scan_7_xye_1.h5"
    assert len(read_columns(first.path)["y"]) == 3
    assert len(read_columns(second.path)["y"]) == 4


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "process").write_text("a file stands where the folder should be")
    with pytest.raises(PhotonFileError, match=r"scan_xye.h5 could not be created: .*check folder"):
        new_file(tmp_path / "raw" / "scan.h5")


def test_a_file_that_was_taken_away_says_so(raw):
    file = new_file(raw)
    file.close(True, *NOTHING)
    file.path.unlink()
    with pytest.raises(PhotonFileError, match="could not be written"):
        file.write(rows(3), 1, 0)
