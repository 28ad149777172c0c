"""Paths from clients, and files that appear whole or not at all."""

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.files import atomic
from pipeline.files.atomic import FileError, existing_path, new_file, resolve_path, save_text


def test_relative_paths_are_under_the_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert resolve_path("a.h5", str(tmp_path)) == tmp_path / "a.h5"
    assert resolve_path("sub/a.h5", str(tmp_path)) == tmp_path / "sub" / "a.h5"
    assert resolve_path(str(tmp_path / "a.h5"), "") == tmp_path / "a.h5"
    assert resolve_path(str(tmp_path / "a.h5"), "/elsewhere") == tmp_path / "a.h5"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", "No path"),
        ("  ", "No path"),
        ("../a.h5", r"'\.\.'"),
        ("sub/../../a.h5", r"'\.\.'"),
        ("absent/a.h5", "does not exist"),
        ("there.h5", "exists already"),
        ("dangling.h5", "exists already"),
        ("sub", "exists already"),
        ("there.h5/a.h5", "does not exist"),
        ("a\0.h5", "control characters"),
        ("a\n.h5", "control characters"),
        ("a" * 300, "cannot be written|exists"),
    ],
)
def test_paths_that_cannot_be_written_say_why(tmp_path: Path, path: str, text: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "there.h5").touch()
    (tmp_path / "dangling.h5").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileError, match=text):
        save_text(resolve_path(path, str(tmp_path)), "new")
    assert (tmp_path / "there.h5").read_text() == ""


def test_a_relative_path_needs_a_folder() -> None:
    with pytest.raises(FileError, match="no output folder"):
        resolve_path("a.h5", "")


def test_files_to_read_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "a.poni").touch()
    assert existing_path("a.poni", str(tmp_path)) == tmp_path / "a.poni"
    for path in ("b.poni", ".", "../a.poni", "a.poni/b"):
        with pytest.raises(FileError):
            existing_path(path, str(tmp_path))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_no_relative_path_leaves_the_folder(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        path = resolve_path(text, str(folder))
    except FileError:
        return
    assert text.startswith("/") or path.resolve().is_relative_to(folder.resolve())
    assert not path.exists()


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with new_file(path) as part:
        part.write_text("half")
        assert part.parent == tmp_path
        assert not path.exists()
    assert path.read_text() == "half"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), new_file(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise KeyError("x")
    with pytest.raises(FileError, match="No space"), new_file(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("links", [True, False])
def test_nothing_is_overwritten_even_when_two_write_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(atomic.os, "link", no_links)
    path = tmp_path / "a.txt"
    ready = threading.Barrier(8, timeout=10)
    refused: list[int] = []

    def write(number: int) -> None:
        try:
            with new_file(path) as part:
                part.write_text(str(number))
                ready.wait()
        except FileError:
            refused.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(refused) == 7
    assert {int(path.read_text()), *refused} == set(range(8))
    assert list(tmp_path.iterdir()) == [path]
