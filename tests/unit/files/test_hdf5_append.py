"""Columns that grow by plain writes: h5py reads what h5py itself would have written."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.files import hdf5_chunk_index
from pipeline.files.hdf5_append import OLDEST_FORMAT, AppendFile


def make(path: Path, chunk: int = 4) -> None:
    with h5py.File(path, "w", libver=OLDEST_FORMAT) as file:
        for name, dtype in (("a", "f4"), ("b/c", "u1"), ("text", "S5")):
            file.create_dataset(name, (0,), dtype, chunks=(chunk,), maxshape=(None,))
        for number in range(12):  # so many that the header needs a continuation
            file["a"].attrs[f"note {number}"] = "x" * 50
        file["value"] = np.zeros(3)
        file["b/done"] = 0


def read(path: Path, name: str) -> np.ndarray:
    with h5py.File(path) as file:
        return file[name][()]


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=12), st.integers(1, 9))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
def test_any_growth_with_and_without_closing(tmp_path, monkeypatch, steps, chunk):
    monkeypatch.setattr(hdf5_chunk_index, "_CAPACITY", 3)
    path = tmp_path / "file.h5"
    make(path, chunk)
    file = AppendFile(path)
    expected = np.empty(0, np.float32)
    for count, close in steps:
        new = np.arange(len(expected), len(expected) + count).astype(np.float32)
        expected = np.concatenate([expected, new])
        file.append({"a": new, "b/c": new.astype(np.uint8)}, {"value": np.full(3, count)})
        assert file.length("a") == len(expected)
        assert read(path, "value").tolist() == [count] * 3
        if close:
            file.close()
            file = AppendFile(path)
    file.close()
    np.testing.assert_array_equal(read(path, "a"), expected)
    np.testing.assert_array_equal(read(path, "b/c"), expected.astype(np.uint8))


def test_nodes_as_large_as_the_format_s(tmp_path):
    """More than 64 × 64 chunks: an index of three levels."""
    path = tmp_path / "file.h5"
    make(path, 1)
    file = AppendFile(path)
    for first in range(0, 9000, 900):
        file.append({"a": np.arange(first, first + 900)})
    assert len(file._columns["a"].index.nodes) == 3
    file.close()
    assert read(path, "a").tolist() == list(range(9000))


def test_h5py_itself_can_go_on_with_the_file(tmp_path):
    path = tmp_path / "file.h5"
    make(path)
    file = AppendFile(path)
    file.append({"a": np.arange(1000)})
    file.close()
    with h5py.File(path, "r+") as other:
        other["a"].resize((1500,))
        other["a"][1000:] = np.arange(1000, 1500)
        other["new"] = 1
    assert read(path, "a").tolist() == list(range(1500))


def test_rows_are_replaced_and_not_made(tmp_path):
    path = tmp_path / "file.h5"
    make(path)
    file = AppendFile(path)
    file.append({"a": np.zeros(10), "text": np.array([b"ab", b"cdefg"])})
    file.replace("a", 3, np.ones(4))
    with pytest.raises(ValueError, match="a has 10 rows, no row 10"):
        file.replace("a", 9, np.ones(2))
    file.close()
    assert read(path, "a").tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]
    assert read(path, "text").tolist() == [b"ab", b"cdefg"]


def test_space_is_set_aside_in_steps_and_given_back(tmp_path):
    path = tmp_path / "file.h5"
    make(path)
    file = AppendFile(path)
    file.append({"a": np.zeros(10)})
    assert path.stat().st_size == 1 << 23
    assert path.stat().st_blocks * 512 < 200_000
    file.close()
    assert path.stat().st_size < 20_000
    assert len(read(path, "a")) == 10


def test_lengths_are_raised_in_the_order_that_was_given(tmp_path, monkeypatch):
    path = tmp_path / "file.h5"
    make(path)
    file = AppendFile(path)
    file.append({"a": np.zeros(1), "b/c": np.zeros(1)})
    places = {file._columns[name].length_place: name for name in ("a", "b/c")}
    raised: list[str] = []
    pwrite = os.pwrite

    def note(fd: int, data: memoryview, place: int) -> int:
        raised.extend([places[place]] if place in places else [])
        return pwrite(fd, data, place)

    monkeypatch.setattr(os, "pwrite", note)
    file.append({"b/c": np.zeros(1), "a": np.zeros(1)})
    file.close()
    assert raised == ["b/c", "a"]


def test_a_file_of_another_form_is_refused(tmp_path):
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("a", (0,), "f4", chunks=(4,), maxshape=(None,))
    with pytest.raises(OSError, match="version"):
        AppendFile(path)
