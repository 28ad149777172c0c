"""A file for h5py whose changes reach the disk together, or not at all.

HDF5 cannot be closed once a write was refused (a full disk), and takes the process with it; and it
writes its book-keeping piece by piece, so that a kill may leave halves. Here HDF5 writes to memory,
and `commit` brings that to disk in an order in which each step leaves a file that can be read:
first what lies beyond the old end, where no reader looks, then the superblock with the new end,
then the rest from the back, where HDF5 keeps the index of chunks, to the front, where it keeps the
lengths of the columns.
"""

import os
from pathlib import Path

_SUPERBLOCK = 0


class CommitFile:
    """File-like object for ``h5py.File``.

    Args:
        path: of the file.
        new: True: make it, it must not exist; False: open one to change it.

    Raises:
        OSError: the file cannot be made or opened.
    """

    def __init__(self, path: Path, new: bool) -> None:
        flags = os.O_CREAT | os.O_EXCL if new else 0
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o666)
        self._committed = os.fstat(self._fd).st_size
        self._end = self._committed
        self._place = 0
        self._changes: list[tuple[int, bytes]] = []

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place, as files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def read(self, size: int) -> bytes:
        """Read what the file holds with the changes in it."""
        data = bytearray(size)
        return bytes(data[: self.readinto(data)])

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Read into a buffer; return how many bytes there were."""
        start, size = self._place, max(0, min(len(buffer), self._end - self._place))
        data = bytearray(size)
        committed = os.pread(self._fd, size, start)
        data[: len(committed)] = committed
        for offset, change in self._changes:
            first, last = max(offset, start), min(offset + len(change), start + size)
            if first < last:
                data[first - start : last - start] = change[first - offset : last - offset]
        buffer[:size] = data
        self._place += size
        return size

    def write(self, data: bytes | memoryview) -> int:
        """Note a change."""
        change = bytes(data)
        self._changes.append((self._place, change))
        self._place += len(change)
        self._end = max(self._end, self._place)
        return len(change)

    def truncate(self, size: int) -> int:
        """Set the length."""
        self._end = size
        return size

    def flush(self) -> None:
        """Do nothing: HDF5 flushes at moments of its own choice."""

    def commit(self) -> None:
        """Bring all changes to disk.

        Raises:
            OSError: the disk refuses. When it has no space, the file is as it was before.
        """
        old_end = self._committed
        inside: list[tuple[int, bytes]] = []
        try:
            for offset, change in self._changes:
                if offset < old_end:
                    inside.append((offset, change[: old_end - offset]))
                self._put(max(offset, old_end), change[max(old_end - offset, 0) :])
            os.ftruncate(self._fd, max(self._end, old_end))
        except OSError:
            os.ftruncate(self._fd, old_end)
            raise
        inside = _without_overlaps(inside)
        for offset, change in sorted(inside, key=lambda c: (c[0] != _SUPERBLOCK, -c[0])):
            self._put(offset, change)
        if self._end < old_end:
            os.ftruncate(self._fd, self._end)
        self._committed = self._end
        self._changes.clear()

    def close(self) -> None:
        """Close the file; changes that were not committed are dropped."""
        os.close(self._fd)

    def _put(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while len(view):
            written = os.pwrite(self._fd, view, offset)
            offset += written
            view = view[written:]


def _without_overlaps(changes: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Join changes that overlap; the later one wins."""
    joined: list[tuple[int, bytes]] = []
    for offset, change in changes:
        start, end = offset, offset + len(change)
        touched = [c for c in joined if c[0] < end and start < c[0] + len(c[1])]
        start = min([start, *(c[0] for c in touched)])
        end = max([end, *(c[0] + len(c[1]) for c in touched)])
        data = bytearray(end - start)
        for earlier, content in [*touched, (offset, change)]:
            data[earlier - start : earlier - start + len(content)] = content
        joined = [c for c in joined if c not in touched]
        joined.append((start, bytes(data)))
    return joined
