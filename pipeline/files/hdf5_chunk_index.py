"""The index of an HDF5 dataset's chunks: a B-tree that grows at its right edge.

It is the version 1 B-tree of the oldest form of the format. What is new is written behind what
readers see; a number or a place that is written last makes them see it. Source: HDF5 File Format
Specification 3.0, III.A.1.
"""

import struct
from dataclasses import dataclass

from pipeline.files.hdf5_bytes import NUMBER, FileBytes

_NOWHERE = (1 << 64) - 1
_CAPACITY = 64
"""Children of a node; the format's default, for which nodes have their size."""
_HEAD = struct.Struct("<4sBBHQQ")
_KEY = struct.Struct("<IIQQ")
_ENTRY = _KEY.size + NUMBER.size
_NODE_SIZE = _HEAD.size + _CAPACITY * _ENTRY + _KEY.size


@dataclass
class _Node:
    """A node of a chunk index, the rightmost of its level."""

    place: int
    count: int
    first: int
    """Number of the first chunk below it."""


class ChunkIndex:
    """The chunks of a one-dimensional dataset.

    Args:
        file: in which it stands.
        place: where the file names the index's root.
        rows: of one chunk.
        item_size: of one row [bytes].
    """

    def __init__(self, file: FileBytes, place: int, rows: int, item_size: int) -> None:
        self._file = file
        self._place = place
        self.rows = rows
        self._item_size = item_size
        self.chunks: list[int] = []
        """Where each chunk stands."""
        self.nodes: list[_Node] = []
        """The rightmost node of each level, leaves first."""
        root = file.number(place)
        if root != _NOWHERE:
            self._read(root)

    def enter(self, first: int) -> None:
        """Enter the chunks from number `first` on."""
        while first < len(self.chunks):
            leaf = self.nodes[0] if self.nodes else None
            if leaf is None or leaf.count >= _CAPACITY:
                self._new_node(0, first, self.chunks[first])
                first += 1
                continue
            new = self.chunks[first : first + _CAPACITY - leaf.count]
            self._add_children(leaf, 0, first, new)
            first += len(new)

    def _new_node(self, level: int, first: int, child: int) -> None:
        """Begin a node with one child, and tell the node above; or grow the tree by a level."""
        left = self.nodes[level] if level < len(self.nodes) else None
        place = self._file.take(_NODE_SIZE)
        head = _HEAD.pack(b"TREE", 1, level, 1, _NOWHERE if left is None else left.place, _NOWHERE)
        entry = self._keys_and_children(level, first, [child])
        self._file.put(place, (head + entry).ljust(_NODE_SIZE, b"\0"))
        node = _Node(place, 1, first)
        if left is None:
            # The only node there is: the root.
            self.nodes.append(node)
            self._file.put(self._place, NUMBER.pack(place))
            return
        self._file.put(left.place + _HEAD.size - 8, NUMBER.pack(place))
        self.nodes[level] = node
        if level + 1 == len(self.nodes):
            self._new_root(left, node)
            return
        above = self.nodes[level + 1]
        if above.count < _CAPACITY:
            self._add_children(above, level + 1, first, [place])
        else:
            self._new_node(level + 1, first, place)

    def _new_root(self, left: _Node, right: _Node) -> None:
        level = len(self.nodes)
        place = self._file.take(_NODE_SIZE)
        head = _HEAD.pack(b"TREE", 1, level, 2, _NOWHERE, _NOWHERE)
        entries = self._keys_and_children(level, 0, [left.place, right.place])
        self._file.put(place, (head + entries).ljust(_NODE_SIZE, b"\0"))
        self.nodes.append(_Node(place, 2, 0))
        self._file.put(self._place, NUMBER.pack(place))

    def _add_children(self, node: _Node, level: int, first: int, children: list[int]) -> None:
        """Write entries behind those of a node, then their number."""
        entries = self._keys_and_children(level, first, children)
        self._file.put(node.place + _HEAD.size + node.count * _ENTRY, entries)
        node.count += len(children)
        self._file.put(node.place + 6, struct.pack("<H", node.count))

    def _keys_and_children(self, level: int, first: int, children: list[int]) -> bytes:
        """Return entries and the key behind them, up to which the last may be filled."""
        span = _CAPACITY**level
        size = self.rows * self._item_size
        parts: list[bytes] = []
        for i, child in enumerate(children):
            parts += [_KEY.pack(size, 0, (first + i * span) * self.rows, 0), NUMBER.pack(child)]
        behind = (first + len(children) * span) * self.rows
        return b"".join([*parts, _KEY.pack(0, 0, behind, self._item_size)])

    def _read(self, place: int) -> None:
        """Read a chunk index, so that it can go on."""
        _, _, level, count, _, _ = _HEAD.unpack(self._file.read(_HEAD.size, place))
        entries = self._file.read(count * _ENTRY, place + _HEAD.size)
        children = [NUMBER.unpack_from(entries, i * _ENTRY + _KEY.size)[0] for i in range(count)]
        first = _KEY.unpack_from(entries)[2] // self.rows
        if level == 0:
            self.chunks += children
        else:
            for child in children:
                self._read(child)
        # Nodes are met from left to right: the last one of each level stays.
        self.nodes += [_Node(0, 0, 0)] * (level + 1 - len(self.nodes))
        self.nodes[level] = _Node(place, count, first)
