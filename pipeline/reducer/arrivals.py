"""Results that wait for an earlier event, and for how long they have waited."""

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from pipeline.photons.frame_safety import NO_QUEUE, Queue
from pipeline.protocols.batch import Batch
from pipeline.reducer.reorder import Reorder


@dataclass(frozen=True)
class Arrived:
    """A batch that waits for its turn."""

    batch: Batch
    since: float = field(default_factory=time.monotonic)
    """When it came, monotonic [s]."""


class Arrivals(Reorder[Arrived]):
    """Gives batches out in the order of their events, and tells how long the others wait."""

    def __init__(self) -> None:
        super().__init__()
        self._polled: deque[tuple[float, int]] = deque()
        """When it was polled [s], and how many batches had come by then."""

    def forget_times(self) -> None:
        """Go on in a new process, whose clock is another one."""
        self._polled.clear()

    def longest_wait(self, now: float) -> float:
        """Return for how long a result is known to have waited [s]; 0: none waits."""
        oldest = self.longest_waiting
        if oldest is None:
            self._polled.clear()
            return 0.0
        while self._polled and self._polled[0][1] <= oldest:
            self._polled.popleft()
        if not self._polled or self._polled[-1][1] < self.arrivals:
            self._polled.append((now, self.arrivals))
        return now - self._polled[0][0]

    def newest_late(self, now: float, limit: float) -> int | None:
        """Return the highest event that has waited for longer than a limit [s].

        Args:
            now: monotonic time [s], for which `longest_wait` was above the limit.
            limit: [s].
        """
        late = [come for at, come in self._polled if now - at > limit]
        return self.highest_of(late[-1])

    def queue(self, since: float, streams: Collection[str]) -> Queue:
        """Return which frames wait.

        Args:
            since: when the oldest came at the latest, monotonic [s].
            streams: cameras whose frames count.
        """
        if not len(self):
            return NO_QUEUE
        results = [ready.batch.result for ready in self]
        return Queue(
            event=self.next,
            since=min(since, *(ready.since for ready in self)),
            frames=tuple(
                frame.frame
                for result in results
                for frame in result.frames
                if frame.stream in streams
            ),
        )
