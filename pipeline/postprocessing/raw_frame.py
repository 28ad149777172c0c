"""One frame of a raw file on its way to a worker: where its bytes are, and the message they make.

A worker reads the bytes as they are, without HDF5, and gets the same message as live: neither the
file's index nor a decompressed frame travels between processes.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import hdf5plugin  # noqa: F401 - registers the filters of HDF5
import numpy as np
from numpy.typing import NDArray

from pipeline.postprocessing.errors import BadRawFile
from pipeline.protocols.raw_file import BLOCK_BYTES, CHUNK_HEAD
from pipeline.protocols.stins import BadFrame, Message, StinsFrame, parse, stins_packed


class BadChunk(Exception):
    """A frame whose bytes are damaged or not all there; the text says how."""


@dataclass(frozen=True)
class Layout:
    """What the frames of a dataset have in common."""

    path: str
    """The file with the frames, absolute."""
    dataset: str
    """Path in that file."""
    shape: tuple[int, int]
    """``(ny, nx)`` of a frame [pixel]."""
    dtype: str
    chunk: tuple[int, int]
    """``(ny, nx)`` of a chunk [pixel]; the whole frame where a frame is one piece."""
    packed: bool = False
    """Chunks are compressed with bslz4."""
    by_hdf5: bool = False
    """HDF5 itself must read the frames: of another filter or form."""

    @property
    def chunk_bytes(self) -> int:
        """Size of a chunk without compression."""
        return self.chunk[0] * self.chunk[1] * np.dtype(self.dtype).itemsize

    @property
    def frame_bytes(self) -> int:
        """Size of a frame without compression."""
        return self.shape[0] * self.shape[1] * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, slots=True)
class Piece:
    """One chunk of a frame."""

    y: int
    x: int
    offset: int
    """In the file [bytes]."""
    size: int
    """[bytes]"""
    packed: bool


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One frame, not read yet."""

    layout: Layout
    index: int
    """In the dataset."""
    number: int
    """In the camera's series."""
    pieces: tuple[Piece, ...] = ()

    def read(self) -> Message:
        """Return the message that the camera sent.

        Raises:
            BadChunk: the frame is damaged, cut off, or was never written.
            BadRawFile: the file cannot be read any more.
        """
        layout = self.layout
        if layout.by_hdf5:
            return self._message(self._read_by_hdf5().tobytes(), "none")
        if not self.pieces:
            raise BadChunk(f"frame {self.number} was never written")
        data = [_read(layout.path, piece, self.number) for piece in self.pieces]
        blocks = {
            _block(chunk, layout, self.number)
            for chunk, piece in zip(data, self.pieces, strict=True)
            if piece.packed
        }
        if blocks - {0, BLOCK_BYTES}:
            # Of another block size than cameras send: HDF5 knows what to do with it.
            return self._message(self._read_by_hdf5().tobytes(), "none")
        if layout.chunk == layout.shape:
            packed = self.pieces[0].packed
            body = memoryview(data[0])[CHUNK_HEAD.size :] if packed else data[0]
            return self._message(body, "bslz4" if packed else "none")
        return self._message(self._assemble(data).tobytes(), "none")

    def image(self) -> NDArray[Any]:
        """Return the pixels, ``(ny, nx)``.

        Raises:
            BadChunk: as `read`, or they cannot be decompressed.
            BadRawFile: as `read`.
        """
        try:
            content = parse(self.read())
        except BadFrame as error:
            raise BadChunk(str(error)) from error
        assert isinstance(content, StinsFrame)
        return content.image

    def _message(self, data: Any, compression: str) -> Message:
        return _packed(self.number, self.layout.shape, self.layout, compression, data)

    def _assemble(self, data: Sequence[bytes]) -> NDArray[Any]:
        layout = self.layout
        image = np.zeros(layout.shape, layout.dtype)
        wanted = -(-layout.shape[0] // layout.chunk[0]) * -(-layout.shape[1] // layout.chunk[1])
        if len(self.pieces) != wanted:
            raise BadChunk(
                f"frame {self.number} has {len(self.pieces)} of its {wanted} chunks in the file"
            )
        for piece, content in zip(self.pieces, data, strict=True):
            chunk = _unpack(content, piece.packed, layout, self.number)
            part = image[piece.y : piece.y + chunk.shape[0], piece.x : piece.x + chunk.shape[1]]
            part[...] = chunk[: part.shape[0], : part.shape[1]]
        return image

    def _read_by_hdf5(self) -> NDArray[Any]:
        try:
            with h5py.File(self.layout.path, locking=False) as file:
                dataset: Any = file[self.layout.dataset]
                return dataset[self.index]
        except OSError as error:
            raise BadChunk(f"frame {self.number} cannot be read: {error}") from error


def _packed(
    number: int, shape: tuple[int, int], layout: Layout, compression: str, data: Any
) -> Message:
    return stins_packed(number + 1, number, shape, np.dtype(layout.dtype), compression, data)


def _unpack(data: bytes, packed: bool, layout: Layout, number: int) -> NDArray[Any]:
    """Read a chunk as if it were a frame, with all the checks of one."""
    body = memoryview(data)[CHUNK_HEAD.size :] if packed else data
    compression = "bslz4" if packed else "none"
    try:
        content = parse(_packed(number, layout.chunk, layout, compression, body))
    except BadFrame as error:
        raise BadChunk(str(error)) from error
    assert isinstance(content, StinsFrame)
    return content.image


def _block(data: bytes, layout: Layout, number: int) -> int:
    """Return the block size of a compressed chunk [bytes]."""
    if len(data) < CHUNK_HEAD.size:
        raise BadChunk(f"frame {number} is cut off after {len(data)} bytes")
    size, block = CHUNK_HEAD.unpack_from(data)
    if size != layout.chunk_bytes:
        raise BadChunk(
            f"frame {number} is damaged: its chunk says {size} bytes, expected {layout.chunk_bytes}"
        )
    return block


def _read(path: str, piece: Piece, number: int) -> bytes:
    try:
        with _opened(path) as file:
            data = os.pread(file, piece.size, piece.offset)
    except OSError as error:
        raise BadRawFile(
            f"{path} cannot be read any more ({error.strerror or error}): when it is there again, "
            "go on with --resume."
        ) from error
    if len(data) != piece.size:
        raise BadChunk(f"frame {number} is cut off: the file ends {len(data)} bytes into it")
    return data


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)


def read_ahead(frame: RawFrame) -> None:
    """Tell the system that a frame is read soon; where that fails, reading it will tell why."""
    with contextlib.suppress(OSError), _opened(frame.layout.path) as file:
        for piece in frame.pieces:
            os.posix_fadvise(file, piece.offset, piece.size, os.POSIX_FADV_WILLNEED)
