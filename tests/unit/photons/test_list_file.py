"""What stands in the photon file."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.photons import PHOTON_SETTINGS, read_columns, read_frames

from pipeline.files.nexus import versions
from pipeline.model.correction_files import CorrectionFile, format_files
from pipeline.photons.detection import finding_settings
from pipeline.photons.list_columns import SETTINGS_BYTES, FrameRow
from pipeline.photons.list_file import PhotonFile
from pipeline.photons.list_path import PhotonFileError, PhotonFileGone
from pipeline.protocols.batch import FrameStatus, PhotonFit, PhotonList


def row(count: int, frame: int = 0, settings: str = "") -> FrameRow:
    rng = np.random.default_rng(frame)
    photons = PhotonList(
        *(rng.uniform(0, 2000, count).astype(np.float32) for _ in range(3)),
        rng.integers(0, 8, count).astype(np.uint8),
    )
    return FrameRow(frame, FrameStatus.SEARCHED, photons, settings)


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
    parts = [row(n, frame) for frame, n in enumerate((3, 0, 40_000, 1))]
    for part in parts:
        file.write([part])
    file.close(True)
    columns = read_columns(file.path)
    for name in ("y", "x", "energy", "flags"):
        expected = np.concatenate([getattr(part.photons, name) for part in parts])
        np.testing.assert_array_equal(columns[name], expected)
    assert columns["frame"].tolist() == [0] * 3 + [2] * 40_000 + [3]
    assert columns["frame"].dtype == np.uint32
    assert columns["flags"].dtype == np.uint8
    assert {columns[name].dtype for name in ("y", "x", "energy")} == {np.dtype(np.float32)}


def test_the_file_is_readable_from_the_start_while_it_is_written(raw):
    file = new_file(raw)
    with on_disk(file) as seen:
        assert seen["entry/complete"][()] == 0
        assert len(seen["entry/photons/energy"]) == 0
    file.write([row(5), FrameRow(1, FrameStatus.TOO_DENSE)])
    with on_disk(file) as seen:
        assert len(seen["entry/photons/energy"]) == 5
        assert seen["entry/energy_histogram/counts"][()].sum() == 5
        assert seen["entry/end_time"][()] == b""
    assert read_frames(file.path) == [(0, 0, 5), (1, 1, 0)]
    file.abandon()


def test_provenance(raw):
    file = new_file(raw)
    file.close(True)
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
        assert entry["start_time"].asstr()[()] <= entry["end_time"][()].decode()


def test_the_raw_file_is_linked_also_when_both_are_moved_together(raw, tmp_path):
    raw.parent.mkdir(parents=True)
    with h5py.File(raw, "w") as file:
        file["entry/data"] = np.arange(3)
    photons = new_file(raw)
    photons.close(True)
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    with h5py.File(moved / "process" / "sample" / "scan_7_xye.h5") as file:
        assert isinstance(file["entry"].get("raw", getlink=True), h5py.ExternalLink)
        assert file["entry/raw/entry/data"][()].tolist() == [0, 1, 2]


def test_changes_of_parameters_are_noted(raw):
    file = new_file(raw)
    later = PHOTON_SETTINGS.replaced("energy_threshold", 900).replaced(
        "photon_roi", '{"x": 1, "y": 2, "width": 3, "height": 4}'
    )
    file.write([row(1, n, finding_settings(PHOTON_SETTINGS)) for n in range(12)])
    file.write([row(1, 12, finding_settings(later)), row(1, 13, finding_settings(later))])
    file.close(True)
    with on_disk(file) as seen:
        changes = seen["entry/process/changes"]
        assert changes["frame"][()].tolist() == [0, 12]
        first, second = (json.loads(text) for text in changes["settings"][()])
        assert (first["energy_threshold"], second["energy_threshold"]) == (800, 900)
        assert json.loads(second["photon_roi"])["width"] == 3
        assert json.loads(seen["entry/process/parameters"].asstr()[()])["energy_threshold"] == 800


def test_the_longest_settings_fit():
    region = '{"x": -999999, "y": -999999, "width": 1000000, "height": 1000000}'
    longest = PHOTON_SETTINGS.replaced("photon_roi", region)
    for name, value in json.loads(finding_settings(longest)).items():
        if isinstance(value, float):
            longest = longest.replaced(name, 0.6234567890123456)
    file = CorrectionFile("/" + "é" * 499, "0" * 16)
    for name in ("dark", "mask"):
        longest = longest.replaced(name, format_files({"andor3_balor": file}))
    assert len(finding_settings(longest)) < SETTINGS_BYTES - 1024, "a matched filter has a path too"


def test_a_plain_reader_follows_the_file_while_it_grows(raw):
    """A program that opens the file anew each time sees true rows only."""
    file = new_file(raw)
    file.write([row(500, 0)])  # h5py, of this same process, is closed from here on
    done = threading.Event()

    def grow() -> None:
        for frame in range(1, 150):
            file.write([row(500, frame)])
        done.set()

    thread = threading.Thread(target=grow)
    thread.start()
    expected = np.concatenate([row(500, frame).photons.energy for frame in range(150)])
    looks = 0
    while not done.is_set() or looks == 0:
        energy = read_columns(file.path)["energy"]
        np.testing.assert_array_equal(energy, expected[: len(energy)])
        looks += 1
    thread.join()
    file.close(True)
    assert len(read_columns(file.path)["energy"]) == len(expected)


def test_default_plots(raw):
    nxdata = pytest.importorskip("silx.io.nxdata", reason="silx comes with the extra 'gui'")
    file = new_file(raw)
    file.write([row(50)])
    with on_disk(file) as seen:
        plot = nxdata.NXdata(seen["entry/photons"])
        assert plot.is_scatter
        assert plot.signal_dataset_name == "energy"
        assert plot.axes_dataset_names == ["x", "y"]
    file.close(True)
    with on_disk(file) as seen:
        plot = nxdata.get_default(seen)
        assert plot.is_curve
        assert (plot.signal_dataset_name, plot.axes_dataset_names) == ("counts", ["energy"])


def test_nexus_classes(raw):
    file = new_file(raw)
    file.close(True)
    with on_disk(file) as seen:
        assert seen.attrs["default"] == "entry"
        assert seen["entry"].attrs["default"] == "energy_histogram"
        classes = {"": "NXroot", "entry": "NXentry", "entry/process": "NXprocess"}
        classes |= {f"entry/{name}": "NXdata" for name in ("photons", "energy_histogram")}
        for path, name in classes.items():
            assert seen[path or "/"].attrs["NX_class"] == name


def test_late_photons_are_appended_after_the_end(raw):
    file = new_file(raw)
    file.write([row(3), FrameRow(1, FrameStatus.NEVER_CAME), row(2, 2)])
    file.close(False)
    size = file.path.stat().st_size
    assert size < 1_000_000  # nothing is set aside any more
    file.write([row(4, 1)])
    file.close(True)
    assert read_columns(file.path)["frame"].tolist() == [0] * 3 + [2] * 2 + [1] * 4
    assert read_frames(file.path) == [(0, 0, 3), (1, 0, 4), (2, 0, 2)]
    with on_disk(file) as seen:
        assert seen["entry/complete"][()] == 1
        assert seen["entry/energy_histogram/counts"][()].sum() == 9


def test_an_existing_file_is_never_overwritten(raw):
    first = new_file(raw)
    first.write([row(3)])
    second = new_file(raw)
    second.write([row(4)])
    for file in (first, second):
        file.close(True)
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
    file.close(True)
    file.path.unlink()
    with pytest.raises(PhotonFileGone, match="was deleted or moved"):
        file.write([row(3)])


def test_a_list_of_the_matched_filter_has_its_columns_whatever_comes_later(tmp_path):
    """A method that is changed in mid-scan leaves the columns as they are."""
    fitted = PHOTON_SETTINGS.replaced("matched_filter", '{"camera": "andor3_balor"}')
    one, two = np.array([5.0], np.float32), np.array([6.0], np.float32)
    flags = np.zeros(1, np.uint8)
    sums = PhotonList(one, one, one, flags)
    fits = PhotonList(two, two, two, flags, PhotonFit(two, two, two, two, two))
    rows = [FrameRow(i, FrameStatus.SEARCHED, photons) for i, photons in enumerate((fits, sums))]
    for settings, snr in ((fitted, [6.0, np.nan]), (PHOTON_SETTINGS, None)):
        file = PhotonFile(str(tmp_path / "raw" / "scan.h5"), "andor3_balor", settings)
        file.write(rows)
        file.close(complete=True)
        found = read_columns(file.path)
        assert found["energy"].tolist() == [6.0, 5.0]
        assert ("snr" in found) == (snr is not None)
        if snr is not None:
            np.testing.assert_array_equal(found["snr"], snr)
