"""Columns of an HDF5 file that grow while anybody reads it, and while anything may be killed.

HDF5 itself writes its book-keeping in an order of its own, cannot close a file once a write was
refused (a full disk), and takes the process with it. Here h5py only makes the file; then columns
are lengthened by plain writes, in an order in which each of them leaves a file that can be read:
first the values, where no reader looks yet, then the index of their chunks, last the length.

That is the order in which other programs see them, also those that look after a kill. After a power
cut only those rows can be relied on for which `append` had come back.

What is written is the oldest form of the format, without checksums: superblock 0, object headers 1,
chunk index a version 1 B-tree. Source: HDF5 File Format Specification 3.0, II.A, III.A.1, IV.A.
"""

import errno
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import h5py.h5o
import numpy as np
from numpy.typing import NDArray

OLDEST_FORMAT = ("earliest", "v108")
"""What h5py must be told as ``libver`` when it makes the file."""

_END_OF_FILE = 40
"""Place of the file's length in the superblock."""
_NOWHERE = (1 << 64) - 1
_DATASPACE, _LAYOUT, _CONTINUATION = 1, 8, 16
"""Messages of an object header."""
_CAPACITY = 64
"""Children of a node; the format's default, for which nodes have their size."""
_HEAD = struct.Struct("<4sBBHQQ")
_KEY = struct.Struct("<IIQQ")
_CHILD = struct.Struct("<Q")
_ENTRY = _KEY.size + _CHILD.size
_NODE_SIZE = _HEAD.size + _CAPACITY * _ENTRY + _KEY.size
_STEP = 1 << 22
"""The file grows in such steps, in holes that take no space until they are written [bytes]."""
_AHEAD = 1 << 22
"""So much is always set aside [bytes]: a reader that has the file open knows the end of the file as
it was then, and may read rows that came since while they stand before it."""


@dataclass
class _Node:
    """A node of a chunk index, the rightmost of its level."""

    place: int
    count: int
    first: int
    """Number of the first chunk below it."""


@dataclass
class _Column:
    """A one-dimensional dataset that grows."""

    dtype: np.dtype[Any]
    rows: int
    """Of one chunk."""
    length_place: int
    index_place: int
    length: int
    chunks: list[int] = field(default_factory=list)
    """Where each chunk stands."""
    nodes: list[_Node] = field(default_factory=list)
    """The rightmost node of each level, leaves first."""


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
        self._path = path
        self._columns: dict[str, _Column] = {}
        self._places: dict[str, tuple[int, np.dtype[Any]]] = {}
        self._written: list[tuple[int, bytes]] = []
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._size = self._end = self._number(_END_OF_FILE)
            with h5py.File(path, locking=False) as file:
                file.visititems(self._learn)
        except BaseException:
            os.close(self._fd)
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
                self._put(column.length_place, _CHILD.pack(column.length))
        for name, data in (values or {}).items():
            place, dtype = self._places[name]
            self._put(place, np.asarray(data, dtype).tobytes())
        self._sync()
        self.check()

    def replace(self, name: str, row: int, data: NDArray[Any]) -> None:
        """Write over rows of a column, all of which are there; see `append`."""
        column = self._columns[name]
        if row + len(data) > column.length:
            raise ValueError(f"{name} has {column.length} rows, no row {row + len(data) - 1}.")
        self._put_rows(column, row, data)
        self._sync()

    def shorten(self, name: str, length: int) -> None:
        """Cut off the last rows of a column; the next ones take their place."""
        column = self._columns[name]
        if length < column.length:
            column.length = length
            self._put(column.length_place, _CHILD.pack(length))

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
                self._put(_END_OF_FILE, _CHILD.pack(self._end))
                os.ftruncate(self._fd, self._end)
        finally:
            os.close(self._fd)

    def abandon(self) -> None:
        """Close the file as it stands."""
        os.close(self._fd)

    def _put_rows(self, column: _Column, start: int, data: NDArray[Any]) -> None:
        data = np.ascontiguousarray(data, column.dtype)
        size, stop = column.dtype.itemsize, start + len(data)
        present = len(column.chunks)
        new = -(-stop // column.rows) - present
        if new > 0:
            # Side by side, so that one write fills them all.
            first = self._take(new * column.rows * size)
            column.chunks += [first + i * column.rows * size for i in range(new)]
        row = start
        while row < stop:
            chunk, behind = divmod(row, column.rows)
            last = stop if chunk >= present else min(stop, (chunk + 1) * column.rows)
            part = data[row - start : last - start]
            self._put(column.chunks[chunk] + behind * size, part.tobytes())
            row = last
        self._index(column, present)

    def _index(self, column: _Column, first: int) -> None:
        """Enter the chunks from number `first` on in the column's index."""
        while first < len(column.chunks):
            leaf = column.nodes[0] if column.nodes else None
            if leaf is None or leaf.count >= _CAPACITY:
                self._new_node(column, 0, first, column.chunks[first])
                first += 1
                continue
            new = column.chunks[first : first + _CAPACITY - leaf.count]
            self._add_children(column, leaf, 0, first, new)
            first += len(new)

    def _new_node(self, column: _Column, level: int, first: int, child: int) -> None:
        """Begin a node with one child, and tell the node above; or grow the tree by a level."""
        left = column.nodes[level] if level < len(column.nodes) else None
        place = self._take(_NODE_SIZE)
        head = _HEAD.pack(b"TREE", 1, level, 1, _NOWHERE if left is None else left.place, _NOWHERE)
        entry = self._keys_and_children(column, level, first, [child])
        self._put(place, (head + entry).ljust(_NODE_SIZE, b"\0"))
        node = _Node(place, 1, first)
        if left is None:
            # The only node there is: the root.
            column.nodes.append(node)
            self._put(column.index_place, _CHILD.pack(place))
            return
        self._put(left.place + _HEAD.size - 8, _CHILD.pack(place))
        column.nodes[level] = node
        if level + 1 == len(column.nodes):
            self._new_root(column, left, node)
            return
        above = column.nodes[level + 1]
        if above.count < _CAPACITY:
            self._add_children(column, above, level + 1, first, [place])
        else:
            self._new_node(column, level + 1, first, place)

    def _new_root(self, column: _Column, left: _Node, right: _Node) -> None:
        level = len(column.nodes)
        place = self._take(_NODE_SIZE)
        head = _HEAD.pack(b"TREE", 1, level, 2, _NOWHERE, _NOWHERE)
        entries = self._keys_and_children(column, level, 0, [left.place, right.place])
        self._put(place, (head + entries).ljust(_NODE_SIZE, b"\0"))
        column.nodes.append(_Node(place, 2, 0))
        self._put(column.index_place, _CHILD.pack(place))

    def _add_children(
        self, column: _Column, node: _Node, level: int, first: int, children: list[int]
    ) -> None:
        """Write entries behind those of a node, then their number."""
        entries = self._keys_and_children(column, level, first, children)
        self._put(node.place + _HEAD.size + node.count * _ENTRY, entries)
        node.count += len(children)
        self._put(node.place + 6, struct.pack("<H", node.count))

    def _keys_and_children(
        self, column: _Column, level: int, first: int, children: list[int]
    ) -> bytes:
        """Return entries and the key behind them, up to which the last may be filled."""
        span = _CAPACITY**level
        size = column.rows * column.dtype.itemsize
        parts: list[bytes] = []
        for i, child in enumerate(children):
            parts += [_KEY.pack(size, 0, (first + i * span) * column.rows, 0), _CHILD.pack(child)]
        behind = (first + len(children) * span) * column.rows
        return b"".join([*parts, _KEY.pack(0, 0, behind, column.dtype.itemsize)])

    def _take(self, size: int) -> int:
        """Set space at the end of the file aside; return where it begins."""
        place = self._end
        needed = place + size + _AHEAD
        if needed > self._size:
            grown = -(-needed // _STEP) * _STEP
            os.ftruncate(self._fd, grown)
            self._put(_END_OF_FILE, _CHILD.pack(grown))
            self._size = grown
        self._end = place + size
        return place

    def _put(self, place: int, data: bytes) -> None:
        view = memoryview(data)
        while len(view):
            written = os.pwrite(self._fd, view, place + len(data) - len(view))
            view = view[written:]
        end = place + len(data)
        kept = [w for w in self._written if w[0] >= end or w[0] + len(w[1]) <= place]
        self._written = [*kept, (place, data)]

    def _sync(self) -> None:
        """Wait until all is on disk, and read it back."""
        os.fsync(self._fd)
        written, self._written = self._written, []
        for place, data in written:
            if os.pread(self._fd, len(data), place) != data:
                raise OSError(errno.EIO, f"what was written at byte {place} reads otherwise")

    def _number(self, place: int) -> int:
        return _CHILD.unpack(os.pread(self._fd, 8, place))[0]

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
        column = _Column(
            dtype=found.dtype,
            rows=found.chunks[0],
            length_place=space + 8,
            index_place=layout + 3,
            length=len(found),
        )
        root = self._number(column.index_place)
        if root != _NOWHERE:
            self._learn_index(column, root)
        self._columns[name] = column

    def _messages(self, header: int) -> list[tuple[int, int]]:
        """Return kind and place of the messages of an object header."""
        version, _, _, _, size = struct.unpack("<BBHII", os.pread(self._fd, 12, header))
        if version != 1:
            raise OSError(errno.EINVAL, f"object headers of version {version} are not known here")
        found: list[tuple[int, int]] = []
        blocks = [(header + 16, size)]
        while blocks:
            place, size = blocks.pop(0)
            end = place + size
            while place + 8 <= end:
                kind, length = struct.unpack("<HH", os.pread(self._fd, 4, place))
                found.append((kind, place + 8))
                if kind == _CONTINUATION:
                    blocks.append(struct.unpack("<QQ", os.pread(self._fd, 16, place + 8)))
                place += 8 + length
        return found

    def _learn_index(self, column: _Column, place: int) -> None:
        """Read a chunk index, so that it can go on."""
        _, _, level, count, _, _ = _HEAD.unpack(os.pread(self._fd, _HEAD.size, place))
        entries = os.pread(self._fd, count * _ENTRY, place + _HEAD.size)
        children = [_CHILD.unpack_from(entries, i * _ENTRY + _KEY.size)[0] for i in range(count)]
        first = _KEY.unpack_from(entries)[2] // column.rows
        if level == 0:
            column.chunks += children
        else:
            for child in children:
                self._learn_index(column, child)
        # Nodes are met from left to right: the last one of each level stays.
        column.nodes += [_Node(0, 0, 0)] * (level + 1 - len(column.nodes))
        column.nodes[level] = _Node(place, count, first)
