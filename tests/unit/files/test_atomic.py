"""Paths from clients, and files that appear whole or not at all."""

import errno
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.files import atomic
from pipeline.files.atomic import (
    FileError,
    Write,
    existing_path,
    resolve_path,
    write_new,
    write_numbered,
    write_over,
)


def text(content: object) -> Write:
    return lambda part: part.write_text(str(content))


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.fixture(params=["links", "no links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with hard links, and on a share that has none."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if request.param == "no links":
        monkeypatch.setattr(atomic.os, "link", refuse)


def test_relative_paths_are_under_the_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert resolve_path("a.h5", str(tmp_path)) == tmp_path / "a.h5"
    assert resolve_path("sub/a.h5", str(tmp_path)) == tmp_path / "sub" / "a.h5"
    assert resolve_path(str(tmp_path / "a.h5"), "") == tmp_path / "a.h5"
    assert resolve_path(str(tmp_path / "a.h5"), "/elsewhere") == tmp_path / "a.h5"


@pytest.mark.parametrize(
    ("path", "words"),
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
def test_paths_that_cannot_be_written_say_why(tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "there.h5").touch()
    (tmp_path / "dangling.h5").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileError, match=words):
        write_new(resolve_path(path, str(tmp_path)), text("new"))
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


@pytest.fixture
def fenced(tmp_path: Path) -> Path:
    """A folder to stay in, with links that lead out of it and back."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside, tmp_path / "inside-not"):
        folder.mkdir()
        (folder / "a.poni").touch()
    (inside / "out").symlink_to(outside)
    (inside / "out.poni").symlink_to(outside / "a.poni")
    (inside / "new.poni").symlink_to(outside / "new.poni")
    (outside / "back").symlink_to(inside)
    return tmp_path


@pytest.mark.parametrize(
    "path",
    ["outside/a.poni", "inside-not/a.poni", "inside/out/a.poni", "inside/out.poni", "a.poni"],
)
def test_files_outside_of_the_allowed_folders_are_refused(fenced: Path, path: str) -> None:
    allowed = ("/nowhere", str(fenced / "inside"))
    for each in (path, str(fenced / path)):
        with pytest.raises(FileError, match=r"inside\b.*AllowedFolders"):
            existing_path(each, str(fenced), allowed)
    new = "inside/new.poni" if path == "inside/out.poni" else f"{path}.new"
    with pytest.raises(FileError, match="AllowedFolders"):
        resolve_path(new, str(fenced), allowed)
    assert not (fenced / "outside" / "new.poni").exists()


def test_links_that_lead_inside_may_be_used(fenced: Path) -> None:
    allowed = (str(fenced / "outside" / "back"),)
    for path in ("inside/a.poni", "outside/back/a.poni"):
        assert existing_path(path, str(fenced), allowed) == fenced / path
    new = resolve_path("outside/back/b.poni", str(fenced), allowed)
    write_new(new, text("new"))
    assert (fenced / "inside" / "b.poni").read_text() == "new"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_no_relative_path_leaves_the_folder(
    tmp_path_factory: pytest.TempPathFactory, given: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        path = resolve_path(given, str(folder))
    except FileError:
        return
    assert given.startswith("/") or path.resolve().is_relative_to(folder.resolve())
    assert not path.exists()


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def write(part: Path) -> None:
        part.write_text("whole")
        assert part.parent == tmp_path
        assert not path.exists()

    write_new(path, write)
    assert contents(tmp_path) == {"a.txt": "whole"}


def no_space(part: Path) -> None:
    part.write_text("half")
    raise OSError(errno.ENOSPC, "No space left on device")


def not_an_os_error(part: Path) -> None:
    part.write_text("half")
    raise KeyError("x")


def test_a_failed_file_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    for make in (write_new, write_numbered):
        with pytest.raises(KeyError):
            make(path, not_an_os_error)
        with pytest.raises(FileError, match=r"a\.h5: cannot be written: No space"):
            make(path, no_space)
        with pytest.raises(FileError, match="absent' does not exist; create it"):
            make(tmp_path / "absent" / "a.h5", text("new"))
    with pytest.raises(FileError, match="No space"):
        write_numbered(path, text("new"), {".poni": no_space})
    assert not list(tmp_path.iterdir())


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """Call with the numbers 0, 1, … in as many threads."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def test_one_name_is_given_once(tmp_path: Path, links: None) -> None:
    path = tmp_path / "a.txt"
    ready = threading.Barrier(8, timeout=60)

    def write(number: int) -> int | None:
        def content(part: Path) -> None:
            part.write_text(str(number))
            ready.wait()

        try:
            write_new(path, content)
        except FileError as error:
            assert "exists already" in str(error)
            return None
        return number

    (first,) = [number for number in at_once(8, write) if number is not None]
    assert contents(tmp_path) == {"a.txt": str(first)}


def test_a_taken_name_gets_a_number(tmp_path: Path, links: None) -> None:
    path = tmp_path / "a.1_xye.h5"
    names = [write_numbered(path, text(number)).name for number in range(3)]
    assert names == ["a.1_xye.h5", "a.1_xye_1.h5", "a.1_xye_2.h5"]
    assert contents(tmp_path) == dict(zip(names, "012", strict=True))


def test_many_at_once_overwrite_nothing(tmp_path: Path, links: None) -> None:
    made = at_once(16, lambda number: write_numbered(tmp_path / "a.h5", text(number)))
    assert len(contents(tmp_path)) == 16
    assert [Path(str(path)).read_text() for path in made] == [str(n) for n in range(16)]


def test_files_beside_each_other_get_the_same_number(tmp_path: Path, links: None) -> None:
    (tmp_path / "a.h5").write_text("mine")
    (tmp_path / "a_1.poni").write_text("mine")
    (tmp_path / "a_2.h5").write_text("mine")
    path = write_numbered(tmp_path / "a.h5", text("sum"), {".poni": text("geometry")})
    assert path == tmp_path / "a_3.h5"
    mine = dict.fromkeys(("a.h5", "a_1.poni", "a_2.h5"), "mine")
    assert contents(tmp_path) == {"a_3.h5": "sum", "a_3.poni": "geometry", **mine}


def test_pairs_at_once_stay_pairs(tmp_path: Path, links: None) -> None:
    def write(number: int) -> Path:
        beside = {".poni": text(number)} if number % 3 else {}
        return write_numbered(tmp_path / "a.h5", text(number), beside)

    at_once(12, write)
    found = contents(tmp_path)
    assert sorted(int(text) for name, text in found.items() if name.endswith(".h5")) == [*range(12)]
    for name, content in found.items():
        if name.endswith(".poni"):
            assert found[name.replace(".poni", ".h5")] == content
    assert len(found) == 12 + 8


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.symlink_to(tmp_path / "elsewhere")
    assert write_numbered(path, text("x")).name == "a_1.h5"
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_whose_answer_was_lost_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An NFS client that asks once more is told that the name exists."""
    link = os.link

    def link_twice(part: Path, path: Path) -> None:
        link(part, path)
        link(part, path)

    monkeypatch.setattr(atomic.os, "link", link_twice)
    assert write_numbered(tmp_path / "a.h5", text("x")) == tmp_path / "a.h5"
    assert contents(tmp_path) == {"a.h5": "x"}


def test_a_file_of_ours_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    write_over(path, "old")
    write_over(path, "new")
    assert contents(tmp_path) == {"ready.json": "new"}
    with pytest.raises(FileError, match="does not exist"):
        write_over(tmp_path / "absent" / "ready.json", "new")
