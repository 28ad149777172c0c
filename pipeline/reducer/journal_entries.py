"""The entries of the journal: a snapshot of the state, then blocks of what was taken in since.

A block has the notes in order, without pixels; and the pixels of all its partial sums, added up for
each sum. So the pixels of many frames are written once, and everything else exactly as it came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.batch import Batch, PartialSum, SparseImage
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.masks import frames_seen
from pipeline.reducer.notes import BatchTaken, Note
from pipeline.reducer.state import ReducerState

_MAX_FRAMES = 50_000
"""A uint32 sum of so many 16-bit frames cannot overflow."""
_MAX_FREE = 3
"""Buffers of other shapes that are kept."""


@dataclass(frozen=True)
class Snapshot:
    """All that the reducer knows at one moment."""

    state: ReducerState
    unsaved: tuple[Sum, ...]
    """Ended sums that wait to be saved."""
    files: Mapping[str, str]
    """Photon files by trigger map."""


def photon_files(state: ReducerState) -> dict[str, str]:
    """Return the photon files that stand, by trigger map; call under the state's lock."""
    photons = {scan.mapping: scan.photons for scan in state.scans()}
    return {mapping: p.path for mapping, p in photons.items() if p is not None and p.path}


@dataclass(eq=False)
class Pixels:
    """What is to be added to a sum."""

    number: int
    """Of the sum."""
    frames: int = 0
    dense: NDArray[Any] | None = None
    """``(ny, nx)``."""
    sparse: list[SparseImage] = field(default_factory=list)
    seen: NDArray[np.uint32] | None = None
    """In how many of the frames the camera did not mask a pixel; None: it masks none."""


@dataclass(frozen=True)
class Block:
    """What was taken in for a while."""

    notes: tuple[Note, ...]
    pixels: tuple[Pixels, ...]
    files: Mapping[str, str]
    """Photon files by trigger map, when there is a new one."""


def without_pixels(note: BatchTaken) -> BatchTaken:
    """Return a note with the partial sums that matter, and no pixels in them."""
    batch = note.batch
    if not batch.result.partials:
        return note
    kept = [
        (_emptied(partial), number)
        for partial, number in zip(batch.result.partials, note.sums, strict=True)
        if partial.accumulate
    ]
    result = replace(batch.result, partials=tuple(partial for partial, _ in kept))
    return replace(
        note, batch=replace(batch, result=result), sums=tuple(number for _, number in kept)
    )


def _emptied(partial: PartialSum) -> PartialSum:
    image = partial.image
    dtype = image.value.dtype if isinstance(image, SparseImage) else image.dtype
    nothing = SparseImage(np.empty(0, np.int32), np.empty(0, dtype))
    # One pixel stands for a mask: it says that there is one.
    valid = None if partial.valid is None else np.zeros((1, 1), bool)
    return replace(partial, image=nothing, valid=valid, missed=None)


class PixelSums:
    """Adds up partial sums until they are written; keeps its buffers, for page faults cost most."""

    def __init__(self) -> None:
        self._growing: dict[int, Pixels] = {}
        self._done: list[Pixels] = []
        self._own: set[int] = set()
        """ids of the arrays that are this object's."""
        self._free: list[NDArray[Any]] = []

    def add_batch(self, batch: Batch, numbers: Iterable[int]) -> None:
        """Add the partial sums of a batch, each to the sum of that number; 0: to none."""
        for partial, number in zip(batch.result.partials, numbers, strict=True):
            if number:
                self._add(number, partial)

    def _add(self, number: int, partial: PartialSum) -> None:
        pixels = self._growing.get(number)
        image, frames = partial.image, len(partial.events)
        if pixels is not None and (
            pixels.frames + frames > _MAX_FRAMES
            or (
                pixels.dense is not None
                and isinstance(image, np.ndarray)
                and pixels.dense.dtype != image.dtype
            )
        ):
            self._done.append(self._growing.pop(number))
            pixels = None
        if pixels is None:
            pixels = self._growing[number] = Pixels(number)
        pixels.frames += frames
        if isinstance(image, SparseImage):
            pixels.sparse.append(image)
        elif pixels.dense is None:
            pixels.dense = image
        else:
            pixels.dense = self._combined(np.add, pixels.dense, image)
        if partial.valid is not None:
            seen = frames_seen(partial.valid, partial.missed, frames)
            if pixels.seen is None:
                pixels.seen = seen
                self._own.add(id(seen))
            else:
                pixels.seen += seen

    def _combined(self, combine: np.ufunc, a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
        if id(a) in self._own:
            return combine(a, b, out=a)
        # What came from a worker is not ours to change.
        out = self._buffer(a.shape, a.dtype)
        self._own.add(id(out))
        return combine(a, b, out=out)

    def _buffer(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        for i, array in enumerate(self._free):
            if array.shape == shape and array.dtype == dtype:
                return self._free.pop(i)
        del self._free[:-_MAX_FREE]
        return np.empty(shape, dtype)

    def take(self) -> tuple[Pixels, ...]:
        """Return what was added up; `clear` when it is written."""
        return (*self._done, *self._growing.values())

    def clear(self) -> None:
        """Begin anew."""
        for pixels in self.take():
            for array in (pixels.dense, pixels.seen):
                if array is not None and id(array) in self._own:
                    self._free.append(array)
        self._own.clear()
        self._done.clear()
        self._growing.clear()
