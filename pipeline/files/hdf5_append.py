"""Columns of an HDF5 file that grow while anybody reads it, and while anything may be killed.

HDF5 itself writes its book-keeping in an order of its own, cannot close a file once a write was
refused (a full disk), and takes the process with it. Here h5py only makes the file; then columns
are lengthened by plain writes, in an order in which each of them leaves a file that can be read:
first the values, where no reader looks yet, then the index of their chunks, last the length.

That is the order in which other programs see them, also those that look after a kill. After a power
cut only those rows can be relied on for which `append` had come back.

What is written is the oldest form of the format, without checksums: superblock 0, object headers 1,
chunk index a version 1 B-tree (`ChunkIndex`). Source: HDF5 File Format Specification 3.0, II.A,
IV.A.
"""

import errno
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import h5py.h5o
import numpy as np
from numpy.typing import NDArray

from pipeline.files.hdf5_bytes import NUMBER, FileBytes
from pipeline.files.hdf5_chunk_index import ChunkIndex

OLDEST_FORMAT = ("earliest", "v108")
"""What h5py must be told as ``libver`` when it makes the file."""

_DATASPACE, _LAYOUT, _CONTINUATION = 1, 8, 16
"""Messages of an object header."""


@dataclass
class _Column:
    """A one-dimensional dataset that grows."""

    dtype: np.dtype[Any]
    length_place: int
    length: int
    index: ChunkIndex


class AppendFile:
    """A file that h5py has made, and whose columns grow from now on.

    Columns are its one-dimensional chunked datasets without filters; the values of contiguous
    datasets can be replaced. Nothing else of the file ever changes. One thread uses it.

    Args:
        path: of the file, made with ``libver=OLDEST_FORMAT``.

    Raises:
        OSError: by each method, when the disk refuses. Up to then the file stays as it was; rows
            of some columns may be there that others lack.
    """

    def __init__(self, path: Path) -> None:
        self._columns: dict[str, _Column] = {}
        self._places: dict[str, tuple[int, np.dtype[Any]]] = {}
        self._file = FileBytes(path)
        try:
            with h5py.File(path, locking=False) as file:
                file.visititems(self._learn)
        except BaseException:
            self._file.abandon()
            raise

    def length(self, name: str) -> int:
        """Return the number of rows of a column."""
        return self._columns[name].length

    def append(
        self, rows: Mapping[str, NDArray[Any]], values: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """Lengthen columns and replace values; all of it is on disk, as written, afterwards.

        Args:
            rows: what comes behind the last row of each column. Lengths are raised in this order.
            values: new content of contiguous datasets.

        Raises:
            OSError: the disk refuses, or gives back something else; or the file stands no more
                where it was made.
        """
        for name, data in rows.items():
            column = self._columns[name]
            self._put_rows(column, column.length, data)
        for name, data in rows.items():
            column = self._columns[name]
            if len(data):
                column.length += len(data)
                self._file.put(column.length_place, NUMBER.pack(column.length))
        for name, data in (values or {}).items():
            place, dtype = self._places[name]
            self._file.put(place, np.asarray(data, dtype).tobytes())
        self._file.sync()
        self._file.check()

    def replace(self, name: str, row: int, data: NDArray[Any]) -> None:
        """Write over rows of a column, all of which are there; see `append`."""
        column = self._columns[name]
        if row + len(data) > column.length:
            raise ValueError(f"{name} has {column.length} rows, no row {row + len(data) - 1}.")
        self._put_rows(column, row, data)
        self._file.sync()

    def shorten(self, name: str, length: int) -> None:
        """Cut off the last rows of a column; the next ones take their place."""
        column = self._columns[name]
        if length < column.length:
            column.length = length
            self._file.put(column.length_place, NUMBER.pack(length))

    def check(self) -> None:
        """Look whether the file still stands where it was made.

        Raises:
            OSError: it was deleted or moved.
        """
        self._file.check()

    def close(self) -> None:
        """Cut off what was set aside for later rows, and close."""
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it stands."""
        self._file.abandon()

    def _put_rows(self, column: _Column, start: int, data: NDArray[Any]) -> None:
        data = np.ascontiguousarray(data, column.dtype)
        size, stop = column.dtype.itemsize, start + len(data)
        present = len(column.index.chunks)
        new = -(-stop // column.index.rows) - present
        if new > 0:
            # Side by side, so that one write fills them all.
            first = self._file.take(new * column.index.rows * size)
            column.index.chunks += [first + i * column.index.rows * size for i in range(new)]
        row = start
        while row < stop:
            chunk, behind = divmod(row, column.index.rows)
            last = stop if chunk >= present else min(stop, (chunk + 1) * column.index.rows)
            part = data[row - start : last - start]
            self._file.put(column.index.chunks[chunk] + behind * size, part.tobytes())
            row = last
        column.index.enter(present)

    def _learn(self, name: str, found: object) -> None:
        """Note where the changing parts of a dataset stand."""
        if not isinstance(found, h5py.Dataset):
            return
        if found.chunks is None:
            place = found.id.get_offset()
            if place is not None:
                self._places[name] = place, found.dtype
            return
        if found.ndim != 1 or found.id.get_create_plist().get_nfilters():
            return
        messages = dict(self._messages(h5py.h5o.get_info(found.id).addr))
        space, layout = messages[_DATASPACE], messages[_LAYOUT]
        self._columns[name] = _Column(
            dtype=found.dtype,
            length_place=space + 8,
            length=len(found),
            index=ChunkIndex(self._file, layout + 3, found.chunks[0], found.dtype.itemsize),
        )

    def _messages(self, header: int) -> list[tuple[int, int]]:
        """Return kind and place of the messages of an object header."""
        version, _, _, _, size = struct.unpack("<BBHII", self._file.read(12, header))
        if version != 1:
            raise OSError(errno.EINVAL, f"object headers of version {version} are not known here")
        found: list[tuple[int, int]] = []
        blocks = [(header + 16, size)]
        while blocks:
            place, size = blocks.pop(0)
            end = place + size
            while place + 8 <= end:
                kind, length = struct.unpack("<HH", self._file.read(4, place))
                found.append((kind, place + 8))
                if kind == _CONTINUATION:
                    blocks.append(struct.unpack("<QQ", self._file.read(16, place + 8)))
                place += 8 + length
        return found
