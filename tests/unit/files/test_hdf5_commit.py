"""Changes reach the disk together, in an order that keeps the file readable."""

import errno
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.files.hdf5_commit import CommitFile

steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 60), st.binary(min_size=1, max_size=30)),
        st.tuples(st.just("truncate"), st.integers(0, 80), st.just(b"")),
        st.tuples(st.just("commit"), st.just(0), st.just(b"")),
    ),
    max_size=25,
)


@given(steps)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_as_a_plain_file(tmp_path, steps):
    path = tmp_path / "file"
    path.unlink(missing_ok=True)
    file = CommitFile(path, new=True)
    plain = bytearray()
    committed = b""
    for action, number, data in steps:
        if action == "write":
            number = min(number, len(plain))  # HDF5 fills what it has allocated
            file.seek(number)
            assert file.write(data) == len(data)
            plain[number : number + len(data)] = data
        elif action == "truncate":
            # HDF5 makes a file shorter only where nothing was written since.
            number = max(number, len(plain))
            file.truncate(number)
            plain.extend(bytes(number - len(plain)))
        else:
            file.commit()
            committed = bytes(plain)
        assert path.read_bytes() == committed
        file.seek(0)
        assert file.read(len(plain) + 10) == plain
    file.commit()
    file.close()
    assert path.read_bytes() == plain


def test_places():
    file = CommitFile(Path(os.devnull), new=False)
    file.write(b"abcdef")
    assert file.tell() == 6
    assert file.seek(-2, os.SEEK_END) == 4
    assert file.read(9) == b"ef"
    assert file.seek(-5, os.SEEK_CUR) == 1
    assert file.read(2) == b"bc"
    file.close()


def test_a_new_file_overwrites_nothing(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileExistsError):
        CommitFile(tmp_path / "file", new=True)


def test_order_of_a_commit(tmp_path, monkeypatch):
    """The new end first, then the superblock, then from the back to the front."""
    (tmp_path / "file").write_bytes(bytes(100))
    file = CommitFile(tmp_path / "file", new=False)
    for place, data in ((50, b"b"), (0, b"s"), (20, b"a"), (95, b"0123456789"), (70, b"c")):
        file.seek(place)
        file.write(data)
    put: list[tuple[int, int]] = []
    pwrite = os.pwrite

    def note(fd: int, data: memoryview, offset: int) -> int:
        put.append((offset, len(data)))
        return pwrite(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", note)
    file.commit()
    file.close()
    assert put == [(100, 5), (0, 1), (95, 5), (70, 1), (50, 1), (20, 1)]


def test_without_space_the_file_stays_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "file.h5"
    disk = CommitFile(path, new=True)
    file = h5py.File(disk, "w")
    data = file.create_dataset("data", (0,), np.float32, chunks=(1000,), maxshape=(None,))
    data.resize(500, axis=0)
    data[:] = 1
    file.flush()
    disk.commit()
    before = path.read_bytes()
    pwrite = os.pwrite

    def refuse(fd: int, content: memoryview, offset: int) -> int:
        if offset > len(before) + 5000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(fd, content[:3000], offset)

    data.resize(9000, axis=0)
    data[500:] = 2
    file.flush()
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", refuse)
        with pytest.raises(OSError, match="No space"):
            disk.commit()
    file.close()
    disk.close()
    assert path.read_bytes() == before
    with h5py.File(path) as seen:
        assert seen["data"][()].tolist() == [1] * 500
