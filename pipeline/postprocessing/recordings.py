"""Recordings of dranspose's ingesters as a series of events."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from dranspose.replay import get_internals

from pipeline.model.cameras import CAMERAS
from pipeline.model.parameters import Settings
from pipeline.postprocessing.block import Block
from pipeline.postprocessing.errors import BadRawFile, BadSettings
from pipeline.postprocessing.raw_open import absolute
from pipeline.postprocessing.source import block_size, cut_into_blocks, file_identity
from pipeline.protocols.stins import BadFrame, StinsFrame, StinsHeader, parse, stins_header

_BLOCK_BYTES = 64_000_000
"""Frames of a block as they were recorded: they travel to another process."""
_SUFFIXES = (".cbors", ".cbors.gz", ".pkls", ".pkls.gz")


def is_recording(path: Path) -> bool:
    """Say whether a file is named as recordings are."""
    return path.name.endswith(_SUFFIXES)


@dataclass
class _Found:
    """What a first reading finds."""

    events: int = 0
    bytes: int = 0
    streams: dict[str, Path] = field(default_factory=dict)
    """By stream, the file that has it."""
    headers: dict[str, StinsHeader] = field(default_factory=dict)
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)


def read_recordings(paths: Sequence[Path], camera: str = "") -> list["RecordingSource"]:
    """Return the series in the recordings of one scan, one for each camera.

    Args:
        paths: of the recordings of all streams.
        camera: whose results are wanted; empty: of all.

    Raises:
        BadRawFile: a file is no recording, or none has frames.
        BadSettings: the camera is not known.
    """
    if camera and camera not in CAMERAS:
        raise BadSettings(f"camera {camera!r} is not known: use {', '.join(CAMERAS)}.")
    paths = [absolute(path) for path in paths]
    found = _look(paths)
    cameras = [name for name in CAMERAS if name in found.streams and camera in ("", name)]
    if not cameras:
        wanted = camera or "any camera"
        known = ", ".join(found.streams) or "nothing"
        raise BadRawFile(f"{paths[0]} has no frames of {wanted}; there is {known}.")
    return [RecordingSource(paths, found, stream) for stream in cameras]


class RecordingSource:
    """One camera of a scan, as ingesters recorded it.

    Args:
        paths: of the recordings of all streams, absolute.
        found: what is in them.
        stream: of the camera.
        block: events of a block; None: as many as is good.
    """

    def __init__(
        self, paths: Sequence[Path], found: _Found, stream: str, block: int | None = None
    ) -> None:
        self._paths = paths
        self.stream, self.part = stream, 0
        self._left_out = {name for name in CAMERAS if name != stream}
        first = found.streams[stream]
        header = found.headers.get(stream)
        self._named = header is not None and bool(header.filename)
        self.folder = str(first)
        self.raw = header.filename if header is not None and self._named else str(first)
        self.name = Path(self.raw).name.partition(".")[0]
        self.shape = found.shapes.get(stream, (1, 1))
        self.files = tuple(map(str, paths))
        self.notes: tuple[str, ...] = ()
        self.events = found.events
        each = found.bytes // max(1, found.events)
        self._block = block or block_size(each, found.events, _BLOCK_BYTES)

    def identity(self) -> Mapping[str, Any]:
        """Return what must be the same for a run to go on."""
        return {
            "files": [file_identity(path) for path in self.files],
            "camera": self.stream,
            "events": self.events,
            "block": self._block,
        }

    def blocks(self, mapping: str, settings: Settings, done: int = 0) -> Iterator[Block]:
        """Give the blocks behind those that are done."""
        streams = map(self._named_streams, _events(self._paths))
        yield from cut_into_blocks(streams, mapping, settings, done, self._block)

    def _named_streams(self, streams: Mapping[str, list[bytes]]) -> dict[str, list[bytes]]:
        """Return the streams of an event; a live view gets the recording's name."""
        kept = {name: parts for name, parts in streams.items() if name not in self._left_out}
        if not self._named and self.stream in kept:
            content = _parsed(kept[self.stream])
            if isinstance(content, StinsHeader):
                kept[self.stream] = stins_header(0, self.raw, content.camera)
        return kept


def _look(paths: Sequence[Path]) -> _Found:
    found = _Found(events=sum(1 for _ in _events(paths)))
    for path in paths:
        for _, streams in _messages(path):
            for name, parts in streams.items():
                found.streams.setdefault(name, path)
                found.bytes += sum(map(len, parts))
                if name in CAMERAS and (name not in found.headers or name not in found.shapes):
                    content = _parsed(parts)
                    if isinstance(content, StinsHeader):
                        found.headers.setdefault(name, content)
                    elif isinstance(content, StinsFrame):
                        shape = content.image.shape
                        found.shapes.setdefault(name, (shape[0], shape[1]))
    if not found.events:
        raise BadRawFile(f"{paths[0]} holds no events.")
    return found


def _events(paths: Sequence[Path]) -> Iterator[dict[str, list[bytes]]]:
    merged = heapq.merge(*map(_messages, paths), key=lambda message: message[0])
    for _, same in groupby(merged, key=lambda message: message[0]):
        streams: dict[str, list[bytes]] = {}
        for _, parts in same:
            streams.update(parts)
        yield streams


def _bytes(part: Any) -> bytes:
    return bytes(getattr(part, "buffer", part))


def _parsed(parts: Sequence[Any]) -> Any:
    """Return the content of a message; None where the worker will say what is wrong with it."""
    try:
        return parse(parts)
    except BadFrame:
        return None


def _messages(path: Path) -> Iterator[tuple[int, dict[str, list[bytes]]]]:
    """Give event number and streams of each message."""
    try:
        for message in get_internals(path):
            found = message.streams.items()
            streams = {str(name): [_bytes(part) for part in data.frames] for name, data in found}
            yield int(message.event_number), streams
    except FileNotFoundError as error:
        raise BadRawFile(f"{path}: there is no such file.") from error
    except Exception as error:
        raise BadRawFile(
            f"{path} is no whole recording of a dranspose ingester, cbors, cbors.gz or pkls "
            f"({type(error).__name__}: {error})."
        ) from error
