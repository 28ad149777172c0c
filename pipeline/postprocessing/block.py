"""A run of events that one process works on: what it is, and the work itself.

A block's pixels are buffered until its end and no longer, so that its results are whole: a block
whose process was killed is simply worked on again by another one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from pipeline.model.cameras import CAMERAS
from pipeline.model.parameters import Settings
from pipeline.postprocessing.raw_frame import BadChunk, RawFrame, read_ahead
from pipeline.protocols.batch import Batch, CameraResult, PartialSum
from pipeline.protocols.stins import Message
from pipeline.reducer.journal_content import dump, load
from pipeline.worker import FemtomaxWorker
from pipeline.worker.femtomax_worker import CONTEXT
from pipeline.worker.frame_buffers import FrameBuffers
from pipeline.worker.store import WorkerStore


@dataclass(frozen=True)
class Event:
    """One event, as dranspose would give it to a worker."""

    number: int
    streams: Mapping[str, RawFrame | Message]


@dataclass(frozen=True)
class Block:
    """Events that follow one another."""

    index: int
    """Counts the blocks of a series."""
    mapping: str
    """Name of the series in the batches."""
    settings: Settings
    events: tuple[Event, ...]


class BlockBuffers(FrameBuffers):
    """Keeps pixels to the end of the block, however long that takes."""

    def flush_if_due(self) -> list[PartialSum]:
        """Keep them."""
        return []


class _BlockWorker(FemtomaxWorker):
    """The live worker, but for when its pixels are flushed."""

    last = False
    """The event is the last one of its block."""

    def may_buffer(self) -> bool:
        """Return that pixels may wait for a later event."""
        return not self.last


class BlockWork:
    """Works on blocks with the live worker; one in each process."""

    def __init__(self) -> None:
        self._context: dict[str, Any] = {CONTEXT: WorkerStore(buffers=BlockBuffers())}
        self._worker: _BlockWorker | None = None
        self._mapping = ""

    def process(self, block: Block) -> bytes:
        """Return the batches of a block as bytes, one for each event."""
        worker = self._worker_for(block.mapping)
        parameters = as_parameters(block.settings)
        found: list[Batch] = []
        for place, event in enumerate(block.events):
            for later in block.events[place + 1 : place + 2]:
                _read_ahead(later)
            worker.last = event is block.events[-1]
            streams, broken = _read(event)
            data = SimpleNamespace(event_number=event.number, streams=streams)
            sent = worker.process_event(data, parameters)
            assert sent is not None, "results wait only where somebody asks for them later"
            # Those before it were sent in an earlier turn.
            batch = sent[-1]
            found.append(_with_broken(batch, broken) if broken else batch)
        return b"".join(dump(tuple(found)))

    def _worker_for(self, mapping: str) -> _BlockWorker:
        if self._worker is None or mapping != self._mapping:
            state = SimpleNamespace(name=f"process-{os.getpid()}", mapping_uuid=mapping)
            self._worker = _BlockWorker(context=self._context, state=state)
            self._mapping = mapping
            # The header of a series is in its first block alone.
            for stream in CAMERAS:
                self._worker.begin_without_header(stream)
        return self._worker


def _with_broken(batch: Batch, broken: Mapping[str, str]) -> Batch:
    """Return a batch with the frames that could not be read, as those that failed."""
    result = batch.result
    result = replace(
        result,
        cameras=(*result.cameras, *(CameraResult(stream, failed=True) for stream in broken)),
        streams=(*result.streams, *broken),
        failed=(*result.failed, *(f"{stream}: {why}" for stream, why in broken.items())),
    )
    return replace(batch, result=result)


def batches(result: bytes | memoryview) -> tuple[Batch, ...]:
    """Return the batches that `BlockWork.process` gave.

    Raises:
        BadContent: these are other bytes.
    """
    return load(memoryview(result))


def as_parameters(settings: Settings) -> dict[str, Any]:
    """Return settings as dranspose gives them to workers and reducer."""
    return {
        name: SimpleNamespace(data=data, value=None) for name, data in settings.to_bytes().items()
    }


def _read(event: Event) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the messages of an event, and by stream why one is missing."""
    streams: dict[str, Any] = {}
    broken: dict[str, str] = {}
    for name, content in event.streams.items():
        try:
            parts = content.read() if isinstance(content, RawFrame) else content
            streams[name] = SimpleNamespace(frames=parts)
        except BadChunk as error:
            broken[name] = str(error)
    return streams, broken


def _read_ahead(event: Event) -> None:
    for content in event.streams.values():
        if isinstance(content, RawFrame):
            read_ahead(content)
