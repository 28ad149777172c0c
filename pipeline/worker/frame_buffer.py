"""The frames whose pixels a worker still holds: images stay in the workers, partial sums travel."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.summing import (
    add_cmos,
    add_counting,
    background_as,
    subtract_and_threshold,
    sum_dtype,
)
from pipeline.model.cameras import Unit
from pipeline.protocols.batch import PartialSum, SparseImage

_MAX_FRAMES = 60_000
"""A uint32 sum of so many 16-bit frames cannot overflow."""
_SPARSE_COST = 12
"""Bytes that one pixel costs when it travels as index and value."""
_SMALL = 1 << 18
"""Images of fewer pixels travel as they are."""


@dataclass(frozen=True)
class HoldKey:
    """Frames may be handed over together only where all of this is equal."""

    mapping: str
    stream: str
    unit: str
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    """Of the sum."""
    accumulate: bool
    accumulation_id: int
    photon_region: tuple[int, int, int, int] | None = None


class BufferPool:
    """Reuses big arrays: a fresh 68 MB block costs more in page faults than its filling."""

    def __init__(self) -> None:
        self._free: defaultdict[tuple[Any, ...], list[NDArray[Any]]] = defaultdict(list)

    def take(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an array of zeros."""
        free = self._free[shape, dtype]
        if not free:
            return np.zeros(shape, dtype)
        array = free.pop()
        array.fill(0)
        return array

    def give_back(self, partial: PartialSum) -> None:
        """Take back the arrays of a partial sum that has been delivered."""
        for array in (partial.image, partial.good):
            if isinstance(array, np.ndarray):
                self.give_back_array(array)

    def give_back_array(self, array: NDArray[Any]) -> None:
        """Take back one array that nobody uses any more."""
        key = (array.shape, array.dtype)
        # One kind of frame at a time: what another camera left behind is let go.
        for other in [k for k in self._free if k[0] != array.shape]:
            del self._free[other]
        if len(self._free[key]) < 2:
            self._free[key].append(array)


class Held:
    """Frames of one kind that were taken in and not yet handed over."""

    def __init__(self, key: HoldKey, pool: BufferPool) -> None:
        self.key = key
        self._pool = pool
        self._sum: NDArray[Any] | None = None
        self._good: NDArray[np.bool_] | None = None
        self._newest: tuple[NDArray[Any], float, float] | None = None
        self._events: list[int] = []
        self._frames: list[int] = []

    def __len__(self) -> int:
        return len(self._events)

    @property
    def full(self) -> bool:
        """True when the sum must be handed over before the next frame."""
        return len(self) >= _MAX_FRAMES

    def add(
        self, image: NDArray[Any], event: int, frame: int, background: float, threshold: float
    ) -> None:
        """Take in one raw frame; background and threshold matter to CMOS frames (unit ADU) only."""
        if self.key.accumulate:
            self._add_to_sum(image, background, threshold)
        else:
            # Whatever is never shown need not be processed.
            self._newest = (image, background, threshold)
            self._events.clear()
            self._frames.clear()
        self._events.append(event)
        self._frames.append(frame)

    def _add_to_sum(self, image: NDArray[Any], background: float, threshold: float) -> None:
        if self._sum is None:
            self._sum = self._pool.take(self.key.shape, self.key.dtype)
            if self.key.unit == Unit.TOT:
                self._good = self._pool.take(self.key.shape, np.dtype(bool))
        if self._good is None:
            add_cmos(self._sum, image, background_as(image.dtype, background), float(threshold))
        else:
            add_counting(self._sum, self._good, image)

    def hand_over(self) -> PartialSum | None:
        """Return what is held and start anew; None when nothing is held."""
        if not self._events:
            return None
        image, good = self._processed()
        partial = PartialSum(
            mapping=self.key.mapping,
            stream=self.key.stream,
            unit=self.key.unit,
            shape=self.key.shape,
            accumulate=self.key.accumulate,
            accumulation_id=self.key.accumulation_id,
            events=tuple(self._events),
            frames=tuple(self._frames),
            image=self._smallest(image),
            good=good,
            photon_region=self.key.photon_region,
        )
        self._sum = self._good = self._newest = None
        self._events, self._frames = [], []
        return partial

    def _processed(self) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        if self._newest is None:
            assert self._sum is not None
            return self._sum, self._good
        image, background, threshold = self._newest
        if self.key.unit != Unit.TOT:
            return subtract_and_threshold(image, background, threshold), None
        total = np.zeros(image.shape, sum_dtype(image.dtype))
        good = np.zeros(image.shape, bool)
        add_counting(total, good, image)
        return total, good

    def _smallest(self, image: NDArray[Any]) -> NDArray[Any] | SparseImage:
        if image.size < _SMALL:
            return image
        flat = image.reshape(-1)
        some = flat != 0  # numpy counts and lists bools far faster than numbers
        if np.count_nonzero(some) * _SPARSE_COST > image.nbytes // 4:
            return image
        index = np.flatnonzero(some)
        sparse = SparseImage(index.astype(np.int32), flat[index])
        self._pool.give_back_array(image)
        return sparse


def warm_up() -> None:
    """Compile the kernels for the cameras' own dtypes, as frames come: read-only."""
    for dtype in (np.float32, np.uint16):
        frame = np.zeros((1, 1), dtype)
        frame.flags.writeable = False
        total = np.zeros((1, 1), sum_dtype(frame.dtype))
        if dtype is np.float32:
            add_counting(total, np.zeros((1, 1), bool), frame)
        else:
            add_cmos(total, frame, 0, 0.0)
            subtract_and_threshold(frame, 0.0, 0.0)
