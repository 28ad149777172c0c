"""NeXus helpers: what readers of the files rely on."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.files import nexus


@pytest.fixture
def entry(tmp_path: Path) -> h5py.Group:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        yield nexus.add_entry(file, default="data", file_time="now")


def test_the_entry_is_the_root_s_default(entry: h5py.Group) -> None:
    assert entry.name == "/entry"
    assert dict(entry.attrs) == {"NX_class": "NXentry", "default": "data"}
    root = {"NX_class": "NXroot", "default": "entry", "creator": "femtotango", "file_time": "now"}
    assert dict(entry.file.attrs) == root


def test_data_have_units_when_there_are_any(entry: h5py.Group) -> None:
    group = nexus.add_group(entry, "data", "NXdata", signal="energy")
    assert dict(group.attrs) == {"NX_class": "NXdata", "signal": "energy"}
    nexus.add_data(group, "distance", 0.13, "m", long_name="how far")
    nexus.add_data(group, "title", "µ")
    assert dict(group["distance"].attrs) == {"units": "m", "long_name": "how far"}
    assert not dict(group["title"].attrs)
    assert nexus.dataset_in(group, "title").asstr()[()] == "µ"


def test_rows_that_were_never_written_are_not_made_up(entry: h5py.Group) -> None:
    y = nexus.add_column(entry, "y", np.float32, 16, "pixel")
    frame = nexus.add_column(entry, "frame", np.uint32, 16)
    for column in (y, frame):
        assert column.shape == (0,) and column.chunks == (16,)
        column.resize(3, axis=0)
    assert np.isnan(y[()]).all()
    assert frame[()].tolist() == [2**32 - 1] * 3


def test_an_image_needs_no_plug_in(entry: h5py.Group) -> None:
    image = np.arange(6, dtype=np.int64).reshape(2, 3) + 2**60
    saved = nexus.add_image(entry, "image", image, "ADU")
    assert saved.compression == "gzip"
    assert saved.attrs["units"] == "ADU"
    np.testing.assert_array_equal(saved[()], image)


def test_the_programs_are_named(entry: h5py.Group) -> None:
    process = nexus.add_process(entry, nexus.now_text())
    programs = nexus.versions()
    assert json.loads(process["versions"].asstr()[()]) == programs
    assert dict(process["versions"].attrs) == programs
    assert process["version"].asstr()[()] == programs["femtotango"]


def test_what_is_not_there_is_said(entry: h5py.Group) -> None:
    nexus.add_data(entry, "title", "x")
    assert nexus.group_in(entry.file, "entry") == entry
    with pytest.raises(KeyError, match="title is no group"):
        nexus.group_in(entry, "title")
    with pytest.raises(KeyError, match="entry is no dataset"):
        nexus.dataset_in(entry.file, "entry")
    with pytest.raises(KeyError):
        nexus.group_in(entry, "absent")
