"""A file that entries are appended to, and that says after a kill which of them can be trusted.

A head (what this is, version, the programs' fingerprint), then entries: length, checksum of the
content, checksum of these two, content. Each entry is on disk before the next is written, so a kill
or a power cut can only spoil the last one.
"""

import contextlib
import fcntl
import mmap
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pipeline.files.atomic import move_numbered, replace_file

FOLDER_VARIABLE = "FEMTOTANGO_JOURNAL"
"""Environment variable of the reducer: folder of its journal; empty: it keeps none."""
VERSION = 1
"""Of the format; a journal of another one is not read."""
_MAGIC = b"femtotango journal\r\n"
_HEAD = struct.Struct("<20sI32sI")
_ENTRY = struct.Struct("<QII")
_CHECKED = struct.Struct("<QI")
"""What the second checksum of an entry covers."""

Content = Sequence[bytes | memoryview]
"""Pieces of one entry."""


class BadJournal(Exception):
    """A journal that cannot be trusted; the text says why."""


class FolderTaken(Exception):
    """Another process writes the journal of this folder."""


@dataclass(frozen=True)
class Journal:
    """What stands in a journal."""

    entries: tuple[memoryview, ...]
    """Contents, oldest first; they stay readable when the file is replaced."""
    cut: int = 0
    """Bytes behind the last whole entry: a write that was cut short."""


class JournalFile:
    """A journal that grows; for one thread.

    Args:
        path: of the file.
        fingerprint: 32 bytes that tell which programs can read the contents.

    Raises:
        OSError, FileError: by each method, when the disk refuses. What was written before stays.
    """

    def __init__(self, path: Path, fingerprint: bytes) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._fd = -1
        self.size = 0
        """Of the file as it can be trusted [bytes]."""

    def replace(self, content: Content) -> None:
        """Begin anew with one entry; a reader finds the old journal or the new one, whole.

        Where that fails, the old one may go on.
        """
        pieces = [_head(VERSION, self._fingerprint), *_entry(content)]

        def write(part: Path) -> None:
            with part.open("xb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())

        replace_file(self._path, write)
        self.close()
        self.size = sum(map(len, pieces))
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def go_on(self, journal: Journal) -> None:
        """Append to the file behind what was read of it; what was cut short goes."""
        self.close()
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self.size = os.fstat(self._fd).st_size - journal.cut
        os.ftruncate(self._fd, self.size)

    def append(self, content: Content) -> None:
        """Add an entry; it is on disk afterwards, or the file is as it was."""
        if self._fd < 0:
            raise OSError("the journal is not open")
        try:
            for piece in _entry(content):
                view = memoryview(piece)
                while len(view):
                    view = view[os.write(self._fd, view) :]
            os.fdatasync(self._fd)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.size)
            self.close()
            raise
        self.size += _ENTRY.size + sum(map(len, content))

    def close(self) -> None:
        """Close the file as it stands."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def read_journal(path: Path, fingerprint: bytes) -> Journal:
    """Read a journal and check all of it.

    Args:
        path: of the file; where there is none, the journal is empty.
        fingerprint: of the programs that are to read the contents.

    Raises:
        BadJournal: it is something else, of another version, or damaged elsewhere than at its end.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")
    except FileNotFoundError:
        return Journal(())
    _check_head(data, fingerprint)
    entries: list[memoryview] = []
    place = _HEAD.size
    while place < size:
        entry = _entry_at(data, place)
        if entry is None:
            break
        entries.append(entry)
        place += _ENTRY.size + len(entry)
    return Journal(tuple(entries), size - place)


def put_aside(path: Path) -> Path:
    """Give a journal that is not to be trusted a name of its own; return that.

    Raises:
        FileError: it cannot be renamed.
    """
    return move_numbered(path, path.with_name(f"{path.stem}-aside{path.suffix}"))


def lock_journal(folder: Path) -> TextIO:
    """Keep other writers out of a folder as long as the returned file is open.

    Raises:
        FolderTaken: another process has it.
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise FolderTaken(f"another process writes the journal in {folder}") from error
    except OSError:
        lock.close()
        raise
    return lock


def _head(version: int, fingerprint: bytes) -> bytes:
    head = _HEAD.pack(_MAGIC, version, fingerprint, 0)[:-4]
    return head + struct.pack("<I", zlib.crc32(head))


def _entry(content: Content) -> list[bytes | memoryview]:
    checksum = 0
    for piece in content:
        checksum = zlib.crc32(piece, checksum)
    checked = _CHECKED.pack(sum(map(len, content)), checksum)
    return [checked + struct.pack("<I", zlib.crc32(checked)), *content]


def _check_head(data: memoryview, fingerprint: bytes) -> None:
    if len(data) < _HEAD.size or bytes(data[: len(_MAGIC)]) != _MAGIC:
        raise BadJournal("it is no journal of femtotango")
    _, version, programs, checksum = _HEAD.unpack(data[: _HEAD.size])
    if checksum != zlib.crc32(data[: _HEAD.size - 4]):
        raise BadJournal("its head is damaged")
    if version != VERSION:
        raise BadJournal(f"it is of version {version}, expected {VERSION}")
    if programs != fingerprint:
        raise BadJournal("another version of the programs wrote it")


def _entry_at(data: memoryview, place: int) -> memoryview | None:
    """Return the content of an entry; None: it is the last one and was not finished.

    Raises:
        BadJournal: it is damaged.
    """
    head = data[place : place + _ENTRY.size]
    # After a power cut, what was never written reads as zeros.
    if len(head) < _ENTRY.size or not any(head):
        return None
    length, checksum, head_checksum = _ENTRY.unpack(head)
    if head_checksum != zlib.crc32(head[: _CHECKED.size]):
        raise BadJournal(f"the entry at byte {place} is damaged")
    begin = place + _ENTRY.size
    if len(data) - begin < length:
        return None
    content = data[begin : begin + length]
    if zlib.crc32(content) != checksum:
        if begin + length < len(data):
            raise BadJournal(f"the entry at byte {place} is damaged")
        return None
    return content
