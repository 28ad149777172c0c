"""The frames of sums that workers have not sent yet: some are lost with a worker or a reducer."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.model.cameras import Unit
from pipeline.model.frame_ranges import FrameRanges
from pipeline.protocols.batch import Batch
from pipeline.reducer.growing_sum import Order

_NOTHING: Order = (-1, -1)


@dataclass
class _Worker:
    boot: str
    """Its process."""
    frames: dict[str, dict[Order, int]] = field(default_factory=dict)
    """By camera, the number of each frame that it has buffered."""
    flushed: dict[str, Order] = field(default_factory=dict)
    """By camera, the newest frame that it has sent."""

    @property
    def count(self) -> int:
        """Frames that it has buffered."""
        return sum(map(len, self.frames.values()))


class BufferedFrames:
    """Knows which frames were seen and are in no sum yet."""

    def __init__(self) -> None:
        self._workers: dict[str, _Worker] = {}

    def add_batch(self, batch: Batch, order_of: Callable[[str], int]) -> tuple[str, int]:
        """Take in what a batch says of frames that its worker buffers.

        Args:
            batch: as it came.
            order_of: gives the order of a trigger map.

        Returns:
            A sentence about frames that are lost, and their number; empty and 0: none is.
        """
        lost = "", 0
        worker = self._workers.get(batch.worker)
        if worker is None or worker.boot != batch.boot:
            if worker is not None and worker.count:
                text = f"{worker.count} frames that it had buffered are lost"
                lost = f"{batch.worker} was restarted; {text}", worker.count
            worker = self._workers[batch.worker] = _Worker(batch.boot)
        for frame in batch.result.frames:
            if frame.accumulate and frame.photons is None:
                taken = order_of(batch.mapping), batch.event
                worker.frames.setdefault(frame.stream, {})[taken] = frame.frame
        for partial in batch.result.partials:
            if partial.accumulate and partial.unit != Unit.COUNTS:
                order = order_of(partial.mapping)
                buffered = worker.frames.setdefault(partial.stream, {})
                for event in partial.events:
                    buffered.pop((order, event), None)
                newest = worker.flushed.get(partial.stream, _NOTHING)
                worker.flushed[partial.stream] = max(newest, (order, max(partial.events)))
        return lost

    def give_up(self) -> tuple[str, int]:
        """Wait no longer for frames that were sent and did not come; return as `add_batch`.

        A worker sends all that it has buffered: older frames that stay behind were sent, too.
        """
        lost: dict[str, list[int]] = {}
        for worker in self._workers.values():
            for stream, buffered in worker.frames.items():
                flushed = worker.flushed.get(stream, _NOTHING)
                for taken in [order for order in buffered if order < flushed]:
                    lost.setdefault(stream, []).append(buffered.pop(taken))
        if not lost:
            return "", 0
        names = "; ".join(
            f"{FrameRanges((number, number) for number in numbers)} of {stream}"
            for stream, numbers in lost.items()
        )
        text = f"Frames {names} were on their way when the reducer ended: they are in no sum."
        return text, sum(map(len, lost.values()))
