"""The frames whose pixels wait in a worker: images stay in the workers, partial sums travel."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.counting import is_masked
from pipeline.frames.levels import level_for_sums, level_of
from pipeline.frames.read_only import read_only
from pipeline.frames.sparse import take_filled
from pipeline.frames.summing import add_cmos, subtract_and_threshold, sum_dtype
from pipeline.model.cameras import CAMERAS, Unit
from pipeline.protocols.batch import PartialSum, SparseImage
from pipeline.worker.array_pool import ArrayPool
from pipeline.worker.masked_pixels import MaskedPixels

_MAX_FRAMES = 60_000
"""A uint32 sum of so many 16-bit frames cannot overflow."""
_SPARSE_COST = 12
"""Bytes that one pixel costs when it travels as index and value."""
_SMALL = 1 << 18
"""Images of fewer pixels travel as they are."""
_LONGEST = 0.4
"""Pixels never wait longer, while frames come [s]."""
_MANY = 8
"""So many frames have come fast, or have waited for long."""


def flush_interval(nbytes: int, frames: int) -> float:
    """Return how long pixels may wait [s]; big sums, and those that grow fast, are sent less often.

    Args:
        nbytes: size of the sum.
        frames: that are in it.
    """
    return _LONGEST if frames >= _MANY else min(_LONGEST, 0.15 + nbytes * 4e-9)


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
        self._masked = MaskedPixels()
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
        return self._is_of(key) and len(self._events) < _MAX_FRAMES

    def _is_of(self, key: BufferKey) -> bool:
        # It is nearly always the same object: that is seen at once.
        return key is self._key or key == self._key

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
        if not self._is_of(key):
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
            self._masked.add_frame(self._sum, image)
        else:
            add_cmos(self._sum, image, background, threshold)

    def flush_if_due(self) -> PartialSum | None:
        """Flush when the pixels have waited for as long as they may."""
        if self._key is None:
            return None
        waited = time.monotonic() - self._flushed_at
        interval = flush_interval(self._key.sum_bytes, len(self._events))
        return self.flush() if waited >= interval else None

    def flush(self) -> PartialSum | None:
        """Return what is buffered and start anew; None when nothing is."""
        key = self._key
        if key is None or not self._events:
            return None
        image, valid, missed = self._processed(key)
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
        self._sum = self._newest = None
        self._masked.forget()
        self._events.clear()
        self._frames.clear()

    def _processed(
        self, key: BufferKey
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None, SparseImage | None]:
        """Return the image to send, which of its pixels are valid, and which were missed."""
        if self._newest is None:
            assert self._sum is not None
            if key.unit == Unit.TOT:
                return self._sum, *self._masked.take(len(self._events))
            return self._sum, None, None
        image, background, threshold = self._newest
        if key.unit == Unit.TOT:
            valid = is_masked(image) == 0
            return np.where(valid, image, 0).astype(sum_dtype(image.dtype)), valid, None
        return subtract_and_threshold(image, background, threshold), None, None

    def _smallest(self, image: NDArray[Any]) -> NDArray[Any] | SparseImage:
        if image.size < _SMALL:
            return image
        filled = take_filled(image, image.nbytes // 4 // _SPARSE_COST)
        if filled is None:
            return image
        self.pool.give_back(image, is_zero=True)
        return SparseImage(*filled)


def warm_up() -> None:
    """Compile the kernels for the cameras' own dtypes, as frames come: read-only."""
    for camera in CAMERAS.values():
        frame = read_only(np.zeros((1, 1), camera.dtype))
        total = np.zeros((1, 1), sum_dtype(frame.dtype))
        if camera.photon_counting:
            MaskedPixels().add_frame(total, frame)
            take_filled(total, 1)
            continue
        add_cmos(total, frame, 0.0, 0.0)
        take_filled(total, 1)
        subtract_and_threshold(frame, 0.0, 0.0)
        for dark in (0.0, 0.5):
            level = level_for_sums(level_of(None, None, dark, (1, 1)))
            add_cmos(np.zeros((1, 1), sum_dtype(frame.dtype, dark)), frame, level, 0.0)
            subtract_and_threshold(frame, level, 0.0)
