"""Give results out in the order of their events, whichever worker was faster."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Reorder(Generic[Item]):
    """Gives items out in the order of their event numbers, each number once."""

    def __init__(self, limit: int = 10_000) -> None:
        self._waiting: list[tuple[int, int, Item]] = []
        self._arrivals = 0
        self._limit = limit
        self._passed: set[int] = set()
        """Events that nobody waits for, though they may still come."""
        self.next = 0
        """The event number that is waited for."""

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Item]:
        """Give the items that wait, in no order, and keep them."""
        return (item for _, _, item in self._waiting)

    def add(self, event: int, item: Item) -> Iterator[Item]:
        """Take in an item and give out all whose turn it is.

        An event that never comes must not stop the run: when too many wait, the gap
        is skipped.
        """
        heapq.heappush(self._waiting, (event, self._arrivals, item))
        self._arrivals += 1
        if len(self._waiting) > self._limit:
            self.next = max(self.next, self._waiting[0][0])
        yield from self._ready()

    @property
    def arrivals(self) -> int:
        """Number of the items that have come so far."""
        return self._arrivals

    @property
    def longest_waiting(self) -> int | None:
        """Which arrival, counted from 0, has waited longest; None when nothing waits."""
        return min((arrival for _, arrival, _ in self._waiting), default=None)

    def highest_of(self, arrivals: int) -> int | None:
        """Return the highest event that waits of the first so many arrivals; None: none does."""
        return max((event for event, come, _ in self._waiting if come < arrivals), default=None)

    def pass_over(self, events: Iterable[int]) -> Iterator[Item]:
        """Wait no longer for these events, which may come or not."""
        self._passed.update(event for event in events if event >= self.next)
        yield from self._ready()

    def skip_to(self, event: int) -> Iterator[Item]:
        """Wait no longer for any event before this one."""
        while self._waiting and self._waiting[0][0] <= event:
            self.next = max(self.next, self._waiting[0][0])
            yield from self._ready()
        self.next = max(self.next, event)

    def _ready(self) -> Iterator[Item]:
        while True:
            if self._waiting and self._waiting[0][0] <= self.next:
                event, _, item = heapq.heappop(self._waiting)
                self._go_on(event + 1)
                yield item
            elif self.next in self._passed:
                self._go_on(self.next + 1)
            else:
                return

    def _go_on(self, event: int) -> None:
        self._passed.discard(self.next)
        self.next = max(self.next, event)

    def rest(self) -> Iterator[Item]:
        """Give out all that wait, gaps or not."""
        while self._waiting:
            event, _, item = heapq.heappop(self._waiting)
            self.next = max(self.next, event + 1)
            yield item
