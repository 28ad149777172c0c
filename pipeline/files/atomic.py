"""Paths that clients give, and files that appear whole or not at all.

A file is written under a hidden name in its folder and then linked to its own name, which fails
where something stands already: there is no moment between a test and a creation, and nobody finds
half a file.
"""

import contextlib
import errno
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

Write = Callable[[Path], object]
"""Writes a file at the path that it is given; what it returns is not used."""

_TAKEN = "{} exists already; files are never overwritten, give a new name."
MAX_NUMBER = 9999
"""Of files that get a number because their name is taken."""
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)


class FileError(Exception):
    """A path that cannot be used or a file that cannot be written; the text says why."""


def resolve_path(path: str, folder: str, allowed: Sequence[str] = ()) -> Path:
    """Return the absolute path of a file that is to be written.

    Args:
        path: absolute, or relative to the folder.
        folder: where relative paths start; empty: only absolute paths can be used.
        allowed: folders in one of which it must be, links followed; none: anywhere.

    Raises:
        FileError: the path is empty or not in an allowed folder, its parent does not exist, or
            there is something at that place already.
    """
    full = _allowed(_absolute(path, folder), allowed)
    with _plain_errors(f"{full}: cannot be written"):
        _check_folder(full)
        if os.path.lexists(full):
            raise FileError(_TAKEN.format(full))
    return full


def existing_path(path: str, folder: str, allowed: Sequence[str] = ()) -> Path:
    """Return the absolute path of a file that is to be read.

    Args:
        path: absolute, or relative to the folder.
        folder: where relative paths start; empty: only absolute paths can be used.
        allowed: folders in one of which it must be, links followed; none: anywhere.

    Raises:
        FileError: the path is empty or not in an allowed folder, or there is no such file.
    """
    full = _allowed(_absolute(path, folder), allowed)
    with _plain_errors(f"{full}: cannot be read"):
        if not full.is_file():
            raise FileError(f"{full}: there is no such file.")
    return full


def write_new(path: Path, write: Write) -> None:
    """Make a file that appears whole under this name, or fail.

    Args:
        path: of the file; its folder must exist.
        write: writes the content to the path that it is given.

    Raises:
        FileError: the file cannot be written, or something has this name already. Nothing is left
            behind then, and nothing was overwritten.
    """
    with _plain_errors(f"{path}: cannot be written"), _written(path, [write]) as parts:
        try:
            _place_all(parts, [path])
        except FileExistsError as error:
            raise FileError(_TAKEN.format(path)) from error


def write_numbered(path: Path, write: Write, beside: Mapping[str, Write] | None = None) -> Path:
    """Make a file that appears whole under this name or, where it is taken, the next free number.

    Args:
        path: requested; ``a.h5`` becomes ``a_1.h5``, ``a_2.h5``, …; its folder must exist.
        write: writes the content to the path that it is given.
        beside: further files by suffix, ``{".poni": …}``: they get the same number, and stand
            before the file itself appears.

    Returns:
        Where the file stands.

    Raises:
        FileError: a file cannot be written, or all numbers are taken. Nothing is left behind then,
            and nothing was overwritten.
    """
    suffixes = [*(beside or {}), path.suffix]
    writers = [*(beside or {}).values(), write]
    with _plain_errors(f"{path}: cannot be written"), _written(path, writers) as parts:
        for number in range(MAX_NUMBER + 1):
            stem = f"{path.stem}_{number}" if number else path.stem
            names = [path.with_name(stem + suffix) for suffix in suffixes]
            try:
                _place_all(parts, names)
            except FileExistsError:
                continue
            return names[-1]
    raise FileError(f"{path} and {MAX_NUMBER} numbered ones exist already; move old ones away.")


def write_over(path: Path, text: str) -> None:
    """Replace a text file of our own, so that readers find the old one or the new one, whole.

    Raises:
        FileError: the file cannot be written; the old one stays.
    """

    replace_file(path, lambda part: part.write_text(text, encoding="utf8"))


def replace_file(path: Path, write: Write) -> None:
    """Replace a file of our own, so that readers find the old one or the new one, whole.

    Args:
        path: of the file; its folder must exist.
        write: writes the content to the path that it is given.

    Raises:
        FileError: the file cannot be written; the old one stays.
    """
    with _plain_errors(f"{path}: cannot be written"), _written(path, [write]) as (part,):
        part.replace(path)
        _sync_folder(path.parent)


def move_numbered(path: Path, wanted: Path) -> Path:
    """Give a file another name or, where that is taken, the next free number.

    Args:
        path: of the file.
        wanted: new name in the same folder; ``a.h5`` becomes ``a_1.h5``, ``a_2.h5``, …

    Returns:
        Where the file stands now.

    Raises:
        FileError: it cannot be moved, or all numbers are taken.
    """
    with _plain_errors(f"{path}: cannot be renamed"):
        for name in _numbered(wanted):
            try:
                _place(path, name)
            except FileExistsError:
                continue
            path.unlink(missing_ok=True)
            return name
    raise FileError(f"{wanted} and {MAX_NUMBER} numbered ones exist already; move old ones away.")


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in range(1, MAX_NUMBER + 1):
        yield path.with_name(f"{path.stem}_{number}{path.suffix}")


def _sync_folder(folder: Path) -> None:
    """Bring a new name to disk; a file system that cannot do that is not worse than before."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


@contextlib.contextmanager
def _written(path: Path, writers: Sequence[Write]) -> Iterator[list[Path]]:
    """Write files under hidden names beside the path, and remove these names afterwards."""
    _check_folder(path)
    parts = [path.with_name(f".{uuid.uuid4().hex}.part") for _ in writers]
    try:
        for part, write in zip(parts, writers, strict=True):
            write(part)
        yield parts
    finally:
        for part in parts:
            with contextlib.suppress(OSError):
                part.unlink()


def _place_all(parts: Sequence[Path], paths: Sequence[Path]) -> None:
    """Give finished files their names, all or none.

    Raises:
        FileExistsError: something has one of the names.
        OSError: a file cannot be placed there.
    """
    placed: list[tuple[Path, Path]] = []
    try:
        for part, path in zip(parts, paths, strict=True):
            _place(part, path)
            placed.append((part, path))
    except OSError:
        for part, path in placed:
            # Where there are no hard links, the file has only the one name.
            if part.exists():
                path.unlink()
            else:
                path.replace(part)
        raise


def _place(part: Path, path: Path) -> None:
    try:
        os.link(part, path)
        return
    except FileExistsError:
        # NFS may say so of the link that it has just made, when its first answer was lost.
        if part.stat().st_nlink > 1:
            return
        raise
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
    # A file system without hard links: take the name with an empty file, then replace that.
    path.touch(exist_ok=False)
    try:
        part.replace(path)
    except OSError:
        path.unlink()
        raise


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise FileError(
            f"{path}: cannot be written: folder {str(path.parent)!r} does not exist; "
            "create it first."
        )


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


def _allowed(full: Path, folders: Sequence[str]) -> Path:
    """Return the path; it must be in one of the folders, if there are any."""
    real = Path(os.path.realpath(full))
    if folders and not any(real.is_relative_to(os.path.realpath(folder)) for folder in folders):
        place = str(full) if real == full else f"{full}, in truth {real},"
        raise FileError(
            f"{place} is in none of the folders that may be used: {', '.join(folders)}. Give a "
            "path in one of them, or add its folder to the property AllowedFolders."
        )
    return full


@contextlib.contextmanager
def _plain_errors(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileError(f"{what}: {error.strerror or error}.") from error
