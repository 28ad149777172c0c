"""The frames whose pixels wait in a worker: images stay in the workers, partial sums travel."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.levels import level_for_sums, level_of
from pipeline.frames.summing import (
    add_cmos,
    add_counting,
    subtract_and_threshold,
    sum_dtype,
)
from pipeline.model.cameras import CAMERAS, Unit
from pipeline.protocols.batch import PartialSum, SparseImage
from pipeline.worker.array_pool import ArrayPool

_MAX_FRAMES = 60_000
"""A uint32 sum of so many 16-bit frames cannot overflow."""
_SPARSE_COST = 12
"""Bytes that one pixel costs when it travels as index and value."""
_SMALL = 1 << 18
"""Images of fewer pixels travel as they are."""


def flush_interval(nbytes: int) -> float:
    """Return how long pixels may wait [s]; big sums are sent less often.

    Args:
        nbytes: size of the sum.
    """
    return min(0.4, 0.15 + nbytes * 4e-9)


@dataclass(frozen=True)
class BufferKey:
    """Frames may enter one partial sum only where all of this is equal."""

    mapping: str
    stream: str
    unit: str
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    """Of the sum."""
    accumulate: bool
    accumulation_id: int
    corrections: str = ""
    """Dark level and mask, as JSON."""

    @property
    def sum_bytes(self) -> int:
        """Size of the sum."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize


class FrameBuffer:
    """The frames of one kind that were taken in and not yet flushed; outlives scans."""

    def __init__(self) -> None:
        self.pool = ArrayPool()
        self._key: BufferKey | None = None
        self._sum: NDArray[Any] | None = None
        self._seen: NDArray[np.uint16] | None = None
        self._newest: tuple[NDArray[Any], float | NDArray[Any], float] | None = None
        self._events: list[int] = []
        self._frames: list[int] = []
        self._flushed_at = 0.0
        """Monotonic time [s]."""

    @property
    def is_empty(self) -> bool:
        """True when nothing is buffered."""
        return not self._events

    def fits(self, key: BufferKey) -> bool:
        """Return False when what is buffered must be flushed before a frame of that key."""
        return key == self._key and len(self._events) < _MAX_FRAMES

    def add(
        self,
        key: BufferKey,
        image: NDArray[Any],
        event: int,
        frame: int,
        background: float | NDArray[Any],
        threshold: float,
    ) -> None:
        """Take in one raw frame; flush before, unless it `fits`.

        Args:
            key: tells which frames it may be added to.
            image: ``(ny, nx)``, never changed afterwards.
            event: number of the event that brought it.
            frame: its number in the series.
            background: of CMOS frames (unit ADU), the same for all or ``(ny, nx)`` as
                `pipeline.frames.levels.level_for_sums` returns it [ADU raw].
            threshold: of CMOS frames [ADU].
        """
        if key != self._key:
            self._key = key
            self._clear()
        if key.accumulate:
            self._add_to_sum(key, image, background, threshold)
        else:
            # Whatever is never shown need not be processed.
            self._newest = (image, background, threshold)
            self._events.clear()
            self._frames.clear()
        self._events.append(event)
        self._frames.append(frame)

    def _add_to_sum(
        self,
        key: BufferKey,
        image: NDArray[Any],
        background: float | NDArray[Any],
        threshold: float,
    ) -> None:
        if self._sum is None:
            self._sum = self.pool.take(key.shape, key.dtype)
            if key.unit == Unit.TOT:
                self._seen = self.pool.take(key.shape, np.dtype(np.uint16))
        if self._seen is not None:
            add_counting(self._sum, self._seen, image)
        else:
            add_cmos(self._sum, image, background, threshold)

    def flush_if_due(self) -> PartialSum | None:
        """Flush when the pixels have waited for as long as they may."""
        if self._key is None:
            return None
        waited = time.monotonic() - self._flushed_at
        return self.flush() if waited >= flush_interval(self._key.sum_bytes) else None

    def flush(self) -> PartialSum | None:
        """Return what is buffered and start anew; None when nothing is."""
        key = self._key
        if key is None or not self._events:
            return None
        image, seen = self._processed(key)
        frames = len(self._events) if key.accumulate else 1
        valid, missed = (None, None) if seen is None else _valid_and_missed(seen, frames)
        if seen is not None:
            self.pool.give_back(seen)
        partial = PartialSum(
            mapping=key.mapping,
            stream=key.stream,
            unit=key.unit,
            shape=key.shape,
            accumulate=key.accumulate,
            accumulation_id=key.accumulation_id,
            events=tuple(self._events),
            frames=tuple(self._frames),
            image=self._smallest(image),
            valid=valid,
            missed=missed,
            corrections=key.corrections,
        )
        self._clear()
        self._flushed_at = time.monotonic()
        return partial

    def _clear(self) -> None:
        self._sum = self._seen = self._newest = None
        self._events.clear()
        self._frames.clear()

    def _processed(self, key: BufferKey) -> tuple[NDArray[Any], NDArray[np.uint16] | None]:
        if self._newest is None:
            assert self._sum is not None
            return self._sum, self._seen
        image, background, threshold = self._newest
        if key.unit == Unit.TOT:
            total = np.zeros(image.shape, sum_dtype(image.dtype))
            seen = np.zeros(image.shape, np.uint16)
            add_counting(total, seen, image)
            return total, seen
        return subtract_and_threshold(image, background, threshold), None

    def _smallest(self, image: NDArray[Any]) -> NDArray[Any] | SparseImage:
        if image.size < _SMALL:
            return image
        flat = image.reshape(-1)
        some = flat != 0  # numpy counts and lists bools far faster than numbers
        if np.count_nonzero(some) * _SPARSE_COST > image.nbytes // 4:
            return image
        index = np.flatnonzero(some)
        sparse = SparseImage(index.astype(np.int32), flat[index])
        self.pool.give_back(image)
        return sparse


def _valid_and_missed(
    seen: NDArray[np.uint16], frames: int
) -> tuple[NDArray[np.bool_], SparseImage | None]:
    """Return which pixels were seen at all, and of these how often those were not that had gaps."""
    valid = seen > 0
    index = np.flatnonzero(valid & (seen < frames))
    if not len(index):
        return valid, None
    value = (frames - seen.reshape(-1)[index]).astype(np.uint32)
    return valid, SparseImage(index.astype(np.int32), value)


def warm_up() -> None:
    """Compile the kernels for the cameras' own dtypes, as frames come: read-only."""
    for camera in CAMERAS.values():
        frame = np.zeros((1, 1), camera.dtype)
        frame.flags.writeable = False
        total = np.zeros((1, 1), sum_dtype(frame.dtype))
        if camera.photon_counting:
            add_counting(total, np.zeros((1, 1), np.uint16), frame)
            continue
        add_cmos(total, frame, 0.0, 0.0)
        subtract_and_threshold(frame, 0.0, 0.0)
        for dark in (0.0, 0.5):
            level = level_for_sums(level_of(None, None, dark, (1, 1)))
            add_cmos(np.zeros((1, 1), sum_dtype(frame.dtype, dark)), frame, level, 0.0)
            subtract_and_threshold(frame, level, 0.0)
