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
    assert group["title"].asstr()[()] == "µ"


def test_a_column_is_empty_and_can_grow(entry: h5py.Group) -> None:
    y = nexus.add_column(entry, "y", np.float32, 16, "pixel")
    assert y.shape == (0,) and y.chunks == (16,) and y.maxshape == (None,)
    assert dict(y.attrs) == {"units": "pixel"}


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
