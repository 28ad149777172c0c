"""The bytes of an HDF5 file: space at its end, and plain writes that are read back."""

import errno
import os
import struct
from pathlib import Path

NUMBER = struct.Struct("<Q")
"""A place or a length, as the format has it."""
_END_OF_FILE = 40
"""Place of the file's length in the superblock."""
_STEP = 1 << 22
"""The file grows in such steps, in holes that take no space until they are written [bytes]."""
_AHEAD = 1 << 22
"""So much is always set aside [bytes]: a reader that has the file open knows the end of the file as
it was then, and may read rows that came since while they stand before it."""


class FileBytes:
    """Reads and writes an HDF5 file of the oldest format, and lengthens it; one thread uses it.

    Args:
        path: of the file.

    Raises:
        OSError: by each method, when the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: list[tuple[int, bytes]] = []
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._size = self._end = self.number(_END_OF_FILE)
        except BaseException:
            os.close(self._fd)
            raise

    def read(self, size: int, place: int) -> bytes:
        """Return so many bytes."""
        return os.pread(self._fd, size, place)

    def number(self, place: int) -> int:
        """Return a place or a length."""
        return NUMBER.unpack(self.read(NUMBER.size, place))[0]

    def take(self, size: int) -> int:
        """Set space at the end of the file aside; return where it begins."""
        place = self._end
        needed = place + size + _AHEAD
        if needed > self._size:
            grown = -(-needed // _STEP) * _STEP
            os.ftruncate(self._fd, grown)
            self.put(_END_OF_FILE, NUMBER.pack(grown))
            self._size = grown
        self._end = place + size
        return place

    def put(self, place: int, data: bytes) -> None:
        """Write bytes; other programs see the writes in the order of these calls."""
        view = memoryview(data)
        while len(view):
            written = os.pwrite(self._fd, view, place + len(data) - len(view))
            view = view[written:]
        end = place + len(data)
        kept = [w for w in self._written if w[0] >= end or w[0] + len(w[1]) <= place]
        self._written = [*kept, (place, data)]

    def sync(self) -> None:
        """Wait until all is on disk, and read it back."""
        os.fsync(self._fd)
        written, self._written = self._written, []
        for place, data in written:
            if self.read(len(data), place) != data:
                raise OSError(errno.EIO, f"what was written at byte {place} reads otherwise")

    def check(self) -> None:
        """Look whether the file still stands where it was made.

        Raises:
            OSError: it was deleted or moved.
        """
        here = os.fstat(self._fd)
        try:
            there = self._path.stat()
        except FileNotFoundError:
            there = None
        if there is None or (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            raise FileNotFoundError(errno.ENOENT, "it was deleted or moved while it was written")

    def close(self) -> None:
        """Cut off what was set aside for later rows, and close."""
        try:
            if self._size > self._end:
                self.put(_END_OF_FILE, NUMBER.pack(self._end))
                os.ftruncate(self._fd, self._end)
        finally:
            os.close(self._fd)

    def abandon(self) -> None:
        """Close the file as it stands."""
        os.close(self._fd)
