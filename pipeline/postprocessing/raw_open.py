"""Open a raw file whatever state it is in, or say in one sentence why it cannot be read."""

import contextlib
import errno
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import h5py

from pipeline.postprocessing.errors import BadRawFile, StillWritten

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
_TRUNCATED = re.compile(r"truncated file: .*stored_eof = (\d+)")


def absolute(path: Path | str) -> Path:
    """Return a path in full, as results name it: links are not followed."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() follows links


@contextlib.contextmanager
def open_raw(path: Path) -> Iterator[tuple[h5py.File, str]]:
    """Open a raw file for reading.

    Args:
        path: of the file.

    Returns:
        The file, and a sentence about what is wrong with it; empty: nothing.

    Raises:
        BadRawFile: it is not there, may not be read, or is no HDF5 file.
        StillWritten: another program has it open for writing.
    """
    file, warning = _open(path)
    with file:
        yield file, warning


def _open(path: Path) -> tuple[h5py.File, str]:
    try:
        return h5py.File(path, "r", locking="best-effort"), ""
    except FileNotFoundError as error:
        raise BadRawFile(f"{path}: there is no such file.") from error
    except OSError as error:
        return _open_damaged(path, error)


def _open_damaged(path: Path, error: OSError) -> tuple[h5py.File, str]:
    text = str(error)
    if error.errno in _NO_LOCKS:
        return h5py.File(path, "r", locking=False), ""
    if isinstance(error, BlockingIOError):
        raise StillWritten(
            f"{path}: another program has the file open for writing. Wait until it is done with "
            "it (a camera closes its file when the series has ended), then start again."
        ) from error
    if "already open for" in text:
        raise StillWritten(
            f"{path}: another program still writes the file (SWMR), or was killed while it did. "
            "Wait until the series has ended, then start again; if the writer was killed: "
            f"h5clear --status {path}"
        ) from error
    truncated = _TRUNCATED.search(text)
    if truncated:
        return _open_truncated(path, int(truncated[1]))
    if isinstance(error, PermissionError):
        raise BadRawFile(f"{path}: you may not read it; ask its owner.") from error
    if path.is_dir():
        raise BadRawFile(f"{path} is a folder: give the raw files in it.") from error
    if "file signature not found" in text:
        raise BadRawFile(
            f"{path} is no HDF5 file; recordings end in .cbors, .cbors.gz or .pkls."
        ) from error
    raise BadRawFile(f"{path}: cannot be read ({text}).") from error


def _open_truncated(path: Path, expected: int) -> tuple[h5py.File, str]:
    there = path.stat().st_size
    warning = (
        f"{path} is cut off: {there} of its {expected} bytes are there. The frames that are whole "
        "are processed; copy the file again to have the others."
    )
    try:
        return h5py.File(_Padded(path, expected), "r"), warning
    except OSError as error:
        raise BadRawFile(
            f"{path} is cut off: {there} of its {expected} bytes are there, and its index is not "
            "among them. Copy the file again."
        ) from error


class _Padded(io.RawIOBase):
    """A file that reads as zeros from its end to where it should end."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = path.open("rb")
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that any place can be read."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place and return it."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = origin + offset
        return self._place

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        """Fill a buffer and return how many bytes there are."""
        view = memoryview(buffer)
        wanted = max(0, min(len(view), self._size - self._place))
        self._file.seek(self._place)
        got = self._file.readinto(view[:wanted])
        view[got:wanted] = bytes(wanted - got)
        self._place += wanted
        return wanted

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
