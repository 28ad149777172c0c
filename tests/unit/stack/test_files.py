"""The folder of a stack and its ready file."""

from pathlib import Path

import pytest

from femtotango.stack.errors import StackError
from femtotango.stack.files import (
    lock_folder,
    logs_of,
    make_folder,
    remove_ready_file,
    write_ready_file,
)


def test_a_folder_is_made_with_its_logs(tmp_path: Path):
    folder = make_folder(tmp_path / "a" / "b")
    assert logs_of(folder).is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match=r"file/state cannot be used \(Not a directory\)"):
        make_folder(tmp_path / "file" / "state")


def test_a_folder_belongs_to_one(tmp_path: Path):
    with lock_folder(tmp_path), pytest.raises(StackError, match="Another stack"):
        lock_folder(tmp_path)
    lock_folder(tmp_path).close()


def test_a_stale_ready_file_is_removed(tmp_path: Path):
    ready = tmp_path / "ready.json"
    remove_ready_file(ready)
    write_ready_file(ready, {"device": "a/b/c"})
    remove_ready_file(ready)
    assert not ready.exists()


def test_a_ready_file_that_cannot_be_written_is_named_at_the_start(tmp_path: Path):
    with pytest.raises(StackError, match="there is no folder"):
        remove_ready_file(tmp_path / "nix" / "ready.json")
    with pytest.raises(StackError, match="cannot be replaced"):
        remove_ready_file(tmp_path)
