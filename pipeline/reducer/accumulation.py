"""Put partial sums together: which sum a frame belongs to, when a new one starts, what is shown."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import PartialSum
from pipeline.reducer.growing_sum import NEVER, Order, Sum, same_kind, start_sum


@dataclass
class _Forwarded:
    """A forwarded frame; most are never shown, so the image is made when it is asked for."""

    partial: PartialSum
    newest: Order
    scan: str
    settings: Settings
    unmasked: NDArray[np.bool_] | None
    total: Sum | None = None

    def as_sum(self) -> Sum:
        if self.total is None:
            self.total = start_sum(self.partial)
            self.total.add_partial(self.partial, self.newest, self.scan, self.unmasked)
            self.total.settings = self.settings
        return self.total


class Numbers:
    """Numbers sums: those of all cameras together, so that a number tells one of them."""

    def __init__(self) -> None:
        self._newest = 0

    def next(self) -> int:
        """Return the next number."""
        self._newest += 1
        return self._newest


class Accumulation:
    """Sorts partial sums of one camera, which may come late and out of order, into sums.

    The accumulation id alone tells which sum a frame belongs to; where no device raises it (it is
    0 then), a forwarded frame in between separates two sums. A change of shape or unit starts a
    new sum too; workers notice it one after the other, so a partial sum of the old kind goes to
    the old sum until its worker has sent one of the new kind.

    Args:
        accumulation_id: older ones are dropped.
        numbers: gives each sum its number; None: they are counted from 1.
    """

    def __init__(self, accumulation_id: int = 0, numbers: "Numbers | None" = None) -> None:
        self.accumulation_id = accumulation_id
        self._numbers = Numbers() if numbers is None else numbers
        self.current: Sum | None = None
        self._ended: list[Sum] = []
        self._forwarded: _Forwarded | None = None
        self._stays: Sum | None = None
        """A sum that ended without another one: it is shown until something newer comes."""
        self.late = 0
        """Frames that came too late for their sum."""
        self.changes = 0
        """Raised whenever what is shown changes."""
        self._separator: Order = NEVER
        self._generation = 0
        self._contributed: dict[str, int] = {}

    @property
    def ended(self) -> tuple[Sum, ...]:
        """Sums that were followed by another one and not taken yet, oldest first."""
        return tuple(self._ended)

    def take_ended(self, before: float = math.inf) -> list[Sum]:
        """Take out the sums that ended before a monotonic time [s]; no frame is added to them."""
        taken = [total for total in self._ended if total.ended_at < before]
        self._ended = [total for total in self._ended if total.ended_at >= before]
        return taken

    @property
    def shown(self) -> Sum | None:
        """The sum, or the newest forwarded frame as a sum of one, whichever has the newer frame."""
        forwarded, total = self._forwarded, self.current or self._stays
        if forwarded is None or (total and total.newest > forwarded.newest):
            return total
        return forwarded.as_sum()

    def reset(self, accumulation_id: int) -> bool:
        """Start a new sum when the id is newer; frames of older ids are dropped from then on."""
        if accumulation_id <= self.accumulation_id:
            return False
        self.accumulation_id = accumulation_id
        self._end_current()
        self._forwarded = self._stays = None
        self.changes += 1
        return True

    def end_before(self, scan_order: int) -> None:
        """End the sum when its frames are all of earlier scans; it is still shown."""
        if self.current is not None and self.current.newest < (scan_order, 0):
            self._stays = self.current
            self._end_current()

    def note_forwarded(self, order: Order) -> None:
        """Remember that a frame was taken with Accumulate false."""
        self._separator = max(self._separator, order)

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
        """Add a partial sum to the sum that it belongs to.

        Args:
            partial: pixels and their frames.
            worker: who sent it.
            scan_order: ascends with every scan.
            scan: label of the scan, for the record.
            settings: in force now, for the record.
            first: the camera stands for the scan.
            unmasked: pixels that its corrections leave in; None: all.

        Returns:
            The number of that sum; 0: it went to none.
        """
        newest = (scan_order, max(partial.events))
        if not partial.accumulate:
            self._forward(_Forwarded(partial, newest, scan, settings, unmasked))
            return 0
        self.reset(partial.accumulation_id)
        if partial.accumulation_id < self.accumulation_id:
            self.late += len(partial.events)
            return 0
        total = self._sum_for(partial, worker, (scan_order, min(partial.events)))
        total.add_partial(partial, newest, scan, unmasked)
        total.settings, total.first = settings, first
        self.changes += 1
        return total.number

    def restore(self, unsaved: Iterable[Sum], saved: Mapping[int, int]) -> None:
        """Go on after a restart of the process.

        Args:
            unsaved: sums of this camera that had been taken out and were in no file yet.
            saved: how many frames of each sum are in a file, by its number.
        """
        growing = [self.current] if self.current else []
        known = {total.number for total in (*self._ended, *growing)}
        self._ended = [*(total for total in unsaved if total.number not in known), *self._ended]
        for total in (*self._ended, *growing):
            total.saved_count = max(total.saved_count, saved.get(total.number, 0))
        self._ended = [total for total in self._ended if total.saved_count != total.count]
        for total in self._ended:
            total.ended_at = time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        # The newest forwarded frame is replaced by the next one anyway.
        return {**self.__dict__, "_forwarded": None, "_stays": None}

    def _sum_for(self, partial: PartialSum, worker: str, first: Order) -> Sum:
        if self.current is not None and not same_kind(self.current, partial):
            behind = self._contributed.get(worker, -1) < self._generation
            before = self._ended[-1] if self._ended else None
            if behind and before is not None and same_kind(before, partial):
                return before
            self._end_current()
        elif (
            self.current is not None
            and self.accumulation_id == 0
            and self.current.newest < self._separator < first
        ):
            self._end_current()
        if self.current is None:
            self.current = start_sum(partial)
            self._stays = None
            self._generation += 1
            self.current.number = self._numbers.next()
        self._contributed[worker] = self._generation
        return self.current

    def _end_current(self) -> None:
        if self.current is not None:
            self.current.ended_at = time.monotonic()
            self._ended.append(self.current)
        self.current = None

    def _forward(self, frame: _Forwarded) -> None:
        if self._forwarded is None or frame.newest > self._forwarded.newest:
            self._forwarded = frame
            self.changes += 1
