"""The frames of sums that workers have not sent yet: some are lost with a worker or a reducer."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.model.cameras import Unit
from pipeline.model.frame_ranges import FrameRanges
from pipeline.protocols.batch import Batch
from pipeline.reducer.accumulation import Order

_NOTHING: Order = (-1, -1)


@dataclass
class _Worker:
    boot: str
    """Its process."""
    frames: dict[Order, int] = field(default_factory=dict)
    """Number of each frame that it has buffered."""
    flushed: Order = _NOTHING
    """The newest frame that it has sent."""


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
            if worker is not None and worker.frames:
                text = f"{len(worker.frames)} frames that it had buffered are lost"
                lost = f"{batch.worker} was restarted; {text}", len(worker.frames)
            worker = self._workers[batch.worker] = _Worker(batch.boot)
        frame = batch.result.frame
        if frame is not None and frame.accumulate and frame.photons is None:
            worker.frames[order_of(batch.mapping), batch.event] = frame.frame
        for partial in batch.result.partials:
            if partial.accumulate and partial.unit != Unit.COUNTS:
                order = order_of(partial.mapping)
                for event in partial.events:
                    worker.frames.pop((order, event), None)
                worker.flushed = max(worker.flushed, (order, max(partial.events)))
        return lost

    def give_up(self) -> tuple[str, int]:
        """Wait no longer for frames that were sent and did not come; return as `add_batch`.

        A worker sends all that it has buffered: older frames that stay behind were sent, too.
        """
        lost: list[int] = []
        for worker in self._workers.values():
            for taken in [order for order in worker.frames if order < worker.flushed]:
                lost.append(worker.frames.pop(taken))
        names = FrameRanges((number, number) for number in lost)
        text = f"Frames {names} were on their way when the reducer ended: they are in no sum."
        return (text, len(lost)) if lost else ("", 0)
