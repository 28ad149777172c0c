"""Paths that clients give, and files that appear whole or not at all."""

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)


class FileError(Exception):
    """A path that cannot be used or a file that cannot be written; the text says why."""


def resolve_path(path: str, folder: str) -> Path:
    """Return the absolute path of a file that is to be written.

    Args:
        path: absolute, or relative to the folder.
        folder: where relative paths start; empty: only absolute paths can be used.

    Raises:
        FileError: the path is empty or leaves the folder, its parent does not exist, or there
            is something at that place already.
    """
    full = _absolute(path, folder)
    with _plain_errors(f"{full}: cannot be written"):
        if not full.parent.is_dir():
            raise FileError(f"{full}: folder {str(full.parent)!r} does not exist; create it first.")
        if os.path.lexists(full):
            raise FileError(f"{full} exists already; files are never overwritten, give a new name.")
    return full


def existing_path(path: str, folder: str) -> Path:
    """Return the absolute path of a file that is to be read.

    Args:
        path: absolute, or relative to the folder.
        folder: where relative paths start; empty: only absolute paths can be used.

    Raises:
        FileError: the path is empty or leaves the folder, or there is no such file.
    """
    full = _absolute(path, folder)
    with _plain_errors(f"{full}: cannot be read"):
        if not full.is_file():
            raise FileError(f"{full}: there is no such file.")
    return full


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to, which becomes the file when the block ends well.

    The file appears under its name only when it is complete, and never replaces another one.
    When the block fails, nothing is left behind.

    Raises:
        FileError: the file cannot be written, or somebody else has made one of that name.
    """
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with _plain_errors(f"{path}: cannot be written"):
            yield part
            _publish(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def save_text(path: Path, text: str) -> None:
    """Write a text file that appears whole and replaces nothing.

    Raises:
        FileError: the file cannot be written, or exists already.
    """
    with new_file(path) as part:
        part.write_text(text, encoding="utf8")


def _absolute(path: str, folder: str) -> Path:
    if not path.strip():
        raise FileError("No path was given; give the name of a file.")
    if not path.isprintable():
        raise FileError(f"{path!r}: control characters cannot be used in a path.")
    given = Path(path)
    if ".." in given.parts:
        raise FileError(f"{path}: '..' cannot be used in a path; give it in full.")
    if given.is_absolute():
        return given
    if not folder:
        raise FileError(f"{path}: no output folder is set; set it, or give an absolute path.")
    return Path(folder).absolute() / given


def place(part: Path, path: Path) -> None:
    """Give a finished file its name, which nothing may have yet.

    Raises:
        FileExistsError: something has that name.
        OSError: the file cannot be placed there.
    """
    try:
        os.link(part, path)
        return
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
    # A file system without hard links: hold the name with an empty file, then replace that.
    path.touch(exist_ok=False)
    part.replace(path)


def _publish(part: Path, path: Path) -> None:
    try:
        place(part, path)
    except FileExistsError as error:
        raise FileError(
            f"{path} exists already; files are never overwritten, give a new name."
        ) from error


@contextlib.contextmanager
def _plain_errors(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileError(f"{what}: {error.strerror or error}.") from error
