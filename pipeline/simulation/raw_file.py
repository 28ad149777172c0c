"""Raw files as the beamline's streaming receiver writes them, from the messages of a camera.

One dataset of frames that grows with each, written as direct chunks; the frames' numbers beside
it; the header's settings in the same group. A later series with the same file name is appended.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bitshuffle
import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from pipeline.protocols import stins
from pipeline.protocols.raw_file import BLOCK_BYTES, CHUNK_HEAD, NUMBERS
from pipeline.protocols.stins import Message, StinsFrame, StinsHeader

_BSLZ4 = (0, 2)
"""Options of the filter: its own block size, LZ4."""


def write_raw_file(
    path: Path,
    camera: str,
    messages: Iterable[Message],
    chunk: tuple[int, int] | None = None,
) -> None:
    """Write the messages of one series, or append them to the series that the file has.

    Args:
        path: of the file.
        camera: name of the detector's group in the file.
        messages: of one series, as `stins_series` makes them.
        chunk: ``(ny, nx)`` of a chunk [pixel]; None: a frame is one chunk.
    """
    with h5py.File(path, "a") as file:
        writer = RawFileWriter(file, camera, chunk)
        for message in messages:
            writer.add(message)


class RawFileWriter:
    """Writes one message after the other into an open file.

    Args:
        file: open for writing.
        camera: name of the detector's group.
        chunk: ``(ny, nx)`` of a chunk [pixel]; None: a frame is one chunk.
    """

    def __init__(self, file: h5py.File, camera: str, chunk: tuple[int, int] | None = None) -> None:
        self._chunk = chunk
        self._group: Any = file.require_group(f"entry/instrument/{camera}")
        self._group.attrs["NX_class"] = "NXdetector"

    def add(self, message: Sequence[Any]) -> None:
        """Write what one message brings; a discarded frame and the end of a series bring nothing.

        Raises:
            BadFrame: the message cannot be read.
        """
        content = stins.parse(message)
        if isinstance(content, StinsHeader):
            _write_settings(self._group, content.camera)
        elif isinstance(content, StinsFrame):
            head = json.loads(bytes(message[0]))
            self._add_frame(content, head["compression"], message[1])

    def _add_frame(self, frame: StinsFrame, compression: str, data: Any) -> None:
        if "data" not in self._group:
            self._make(frame.image, compression)
        images, numbers = self._group["data"], self._group[NUMBERS]
        place = len(images)
        images.resize(place + 1, axis=0)
        numbers.resize(place + 1, axis=0)
        numbers[place] = frame.frame
        if images.chunks[1:] == frame.image.shape:
            packed = compression == "bslz4"
            content = _with_head(frame.image.nbytes, data) if packed else bytes(data)
            images.id.write_direct_chunk((place, 0, 0), content)
            return
        for y in range(0, len(frame.image), images.chunks[1]):
            for x in range(0, frame.image.shape[1], images.chunks[2]):
                part = np.zeros((images.chunks[1], images.chunks[2]), frame.image.dtype)
                cut = frame.image[y : y + part.shape[0], x : x + part.shape[1]]
                part[: cut.shape[0], : cut.shape[1]] = cut
                images.id.write_direct_chunk((place, y, x), _chunk(part, compression))

    def _make(self, image: NDArray[Any], compression: str) -> None:
        filters = (
            {"compression": hdf5plugin.Bitshuffle.filter_id, "compression_opts": _BSLZ4}
            if compression == "bslz4"
            else {}
        )
        self._group.create_dataset(
            "data",
            shape=(0, *image.shape),
            maxshape=(None, *image.shape),
            chunks=(1, *(self._chunk or image.shape)),
            dtype=image.dtype,
            **filters,
        )
        self._group.create_dataset(NUMBERS, (0,), np.uint32, maxshape=(None,), chunks=(1024,))


def _chunk(part: NDArray[Any], compression: str) -> bytes:
    if compression == "none":
        return part.tobytes()
    return _with_head(part.nbytes, bitshuffle.compress_lz4(part).tobytes())


def _with_head(nbytes: int, packed: Any) -> bytes:
    return CHUNK_HEAD.pack(nbytes, BLOCK_BYTES) + bytes(packed)


def _write_settings(group: Any, settings: Mapping[str, Any]) -> None:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            _write_settings(group.require_group(name), value)
        else:
            # A later series has its own settings.
            if name in group:
                del group[name]
            group[name] = value
