"""What a run works on: a series as events, cut into blocks."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pipeline.model.parameters import Settings
from pipeline.postprocessing.block import Block, Event
from pipeline.postprocessing.raw_file import RawSeries
from pipeline.postprocessing.scan_file import Scan
from pipeline.protocols.sardana import SARDANA, record_end
from pipeline.protocols.stins import Message, stins_end, stins_header

_BLOCK_BYTES = 512_000_000
"""Frames of a block, without compression: a sum travels once for so much."""
_MAX_FRAMES = 64
_BLOCKS = 16
"""A short series still has so many blocks, for all processes to have something to do."""


class Source(Protocol):
    """A series of frames."""

    @property
    def raw(self) -> str:
        """Absolute path of the raw file, as the results name it."""
        ...

    @property
    def name(self) -> str:
        """Of the results, without what tells their kind."""
        ...

    @property
    def stream(self) -> str:
        """Of the camera."""
        ...

    @property
    def part(self) -> int:
        """Counts the series of one camera in one file."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """``(ny, nx)`` of a frame [pixel]."""
        ...

    @property
    def files(self) -> Sequence[str]:
        """All files that are read."""
        ...

    @property
    def folder(self) -> str:
        """A path beside which results may stand."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """Sentences about what is wrong with the files."""
        ...

    @property
    def events(self) -> int:
        """Number of events."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """Return what must be the same for a run to go on."""
        ...

    def blocks(self, mapping: str, settings: Settings, done: int = 0) -> Iterator[Block]:
        """Give the blocks behind those that are done."""
        ...


def block_size(frame_bytes: int, frames: int, block_bytes: int = _BLOCK_BYTES) -> int:
    """Return how many events make a block; the number of processes must not matter.

    Args:
        frame_bytes: of a frame without compression.
        frames: of the series.
        block_bytes: of all frames of a block, as `frame_bytes` counts them.
    """
    return max(1, min(_MAX_FRAMES, block_bytes // max(1, frame_bytes), frames // _BLOCKS))


def file_identity(path: str) -> list[Any]:
    """Return what changes when a file does."""
    status = Path(path).stat()
    return [path, status.st_size, status.st_mtime_ns]


class RawSource:
    """A series in a raw file.

    Args:
        series: its frames.
        scan: gives the motor axis; None: there is none.
        block: events of a block; None: as many as is good.
    """

    def __init__(
        self, series: RawSeries, scan: Scan | None = None, block: int | None = None
    ) -> None:
        self.series = series
        self.raw, self.name, self.stream = series.raw, series.name, series.stream
        self.part, self.folder = series.part, series.raw
        self.shape, self.notes = series.shape, series.notes
        self.files = tuple(dict.fromkeys([series.raw, *(f.layout.path for f in series.frames)]))
        self._block = block or block_size(series.frame_bytes, len(series.frames))
        self._records: dict[int, list[bytes]] = {}
        """By the number of frames before them."""
        self._scan = scan
        if scan is not None:
            for place, record in scan.records([frame.number for frame in series.frames]):
                self._records.setdefault(place, []).append(record)
        # A record shares the event of the frame before it; where there are more, they follow.
        alone = sum(len(some) - (place > 0) for place, some in self._records.items())
        self.events = len(series.frames) + 2 + alone

    def identity(self) -> Mapping[str, Any]:
        """Return what must be the same for a run to go on."""
        layout = self.series.frames[0].layout
        return {
            "files": [file_identity(path) for path in self.files],
            "dataset": layout.dataset,
            "camera": self.stream,
            "part": self.part,
            "scan": "" if self._scan is None else self._scan.description().decode(),
            "events": self.events,
            "block": self._block,
        }

    def blocks(self, mapping: str, settings: Settings, done: int = 0) -> Iterator[Block]:
        """Give the blocks behind those that are done."""
        yield from cut_into_blocks(self._streams(), mapping, settings, done, self._block)

    def _streams(self) -> Iterator[Mapping[str, Any]]:
        header: dict[str, Message | Any] = {
            self.stream: stins_header(0, self.raw, self.series.camera)
        }
        if self._scan is not None:
            header[SARDANA] = [self._scan.description()]
        yield header
        yield from ({SARDANA: [record]} for record in self._records.get(0, ()))
        for place, frame in enumerate(self.series.frames, start=1):
            records = self._records.get(place, [])
            own = {SARDANA: [records[0]]} if records else {}
            yield {self.stream: frame, **own}
            yield from ({SARDANA: [record]} for record in records[1:])
        end: dict[str, Any] = {self.stream: stins_end(len(self.series.frames) + 1)}
        if self._scan is not None:
            end[SARDANA] = [json.dumps(record_end()).encode()]
        yield end


def cut_into_blocks(
    streams: Iterator[Mapping[str, Any]], mapping: str, settings: Settings, done: int, size: int
) -> Iterator[Block]:
    """Give blocks of events that bring these streams.

    Args:
        streams: of all events.
        mapping: name of the series.
        settings: of all frames.
        done: blocks that are done.
        size: events of a block.
    """
    index, number = done, done * size
    events: list[Event] = []
    # The last block may be a short one.
    for one in itertools.islice(streams, number, None):
        events.append(Event(number, one))
        number += 1
        if len(events) == size:
            yield Block(index, mapping, settings, tuple(events))
            events, index = [], index + 1
    if events:
        yield Block(index, mapping, settings, tuple(events))
