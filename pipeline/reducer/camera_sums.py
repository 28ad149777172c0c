"""The sums of all cameras: each camera has a sum of its own."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import PartialSum
from pipeline.reducer.accumulation import Accumulation, Numbers
from pipeline.reducer.growing_sum import Order, Sum


class CameraSums:
    """One accumulation for each camera of which a frame has come; all have the same id."""

    def __init__(self) -> None:
        self.accumulation_id = 0
        self._numbers = Numbers()
        self._cameras: dict[str, Accumulation] = {}

    def of(self, stream: str) -> Accumulation:
        """Return the accumulation of a camera."""
        if stream not in self._cameras:
            self._cameras[stream] = Accumulation(self.accumulation_id, self._numbers)
        return self._cameras[stream]

    @property
    def streams(self) -> tuple[str, ...]:
        """The cameras that have an image to show."""
        return tuple(stream for stream, sums in self._cameras.items() if sums.shown is not None)

    def shown(self, stream: str) -> Sum | None:
        """Return what is shown of a camera; None: nothing."""
        return self._cameras[stream].shown if stream in self._cameras else None

    @property
    def growing(self) -> tuple[Sum, ...]:
        """The sums that still grow."""
        return tuple(sums.current for sums in self._cameras.values() if sums.current is not None)

    @property
    def ended(self) -> tuple[Sum, ...]:
        """Sums that have ended and were not taken yet, oldest first."""
        return _oldest_first(total for sums in self._cameras.values() for total in sums.ended)

    def take_ended(self, before: float = math.inf) -> tuple[Sum, ...]:
        """Take out the sums that ended before a monotonic time [s]; no frame is added to them."""
        return _oldest_first(
            total for sums in self._cameras.values() for total in sums.take_ended(before)
        )

    @property
    def late(self) -> int:
        """Frames that came too late for their sum."""
        return sum(sums.late for sums in self._cameras.values())

    def reset(self, accumulation_id: int) -> None:
        """Start new sums when the id is newer; frames of older ids are dropped from then on."""
        if accumulation_id > self.accumulation_id:
            self.accumulation_id = accumulation_id
            for sums in self._cameras.values():
                sums.reset(accumulation_id)

    def end_absent(self, scan_order: int, cameras: Iterable[str]) -> None:
        """End the sums of all cameras that had no part in a scan, which is over."""
        there = set(cameras)
        for stream, sums in self._cameras.items():
            if stream not in there:
                sums.end_before(scan_order)

    def note_forwarded(self, stream: str, order: Order) -> None:
        """Remember that a frame was taken with Accumulate false."""
        self.of(stream).note_forwarded(order)

    def add_partial(
        self,
        partial: PartialSum,
        worker: str,
        scan_order: int,
        scan: str,
        settings: Settings,
        first: bool = True,
        unmasked: NDArray[np.bool_] | None = None,
    ) -> int:
        """Add a partial sum to its camera's sum; see `Accumulation.add_partial`."""
        if partial.accumulate:
            self.reset(partial.accumulation_id)
        sums = self.of(partial.stream)
        return sums.add_partial(partial, worker, scan_order, scan, settings, first, unmasked)

    def restore(self, unsaved: Iterable[Sum], saved: Mapping[int, int]) -> None:
        """Go on after a restart of the process; see `Accumulation.restore`."""
        unsaved = tuple(unsaved)
        for stream in {*self._cameras, *(total.stream for total in unsaved)}:
            mine = [total for total in unsaved if total.stream == stream]
            self.of(stream).restore(mine, saved)


def _oldest_first(sums: Iterable[Sum]) -> tuple[Sum, ...]:
    return tuple(sorted(sums, key=lambda total: total.ended_at))
