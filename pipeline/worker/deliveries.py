"""Which message a worker takes next: what does not come holds up nothing else.

dranspose's own worker takes its events one after the other and waits for each until all its
messages are there. One camera that dies would stop all cameras, and a record that does not come
would stop the frames. Here a message that others have overtaken is waited for `PATIENCE` once; from
then on, until it has caught up, its stream is not waited for at all. What comes later is processed
when it comes.

Nothing in here waits or knows the time: `now` is monotonic [s].
"""

from collections import deque
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pipeline.model.cameras import CAMERAS

PATIENCE = 1.0
"""A camera's message is waited for so long when others have overtaken it [s]."""

Source = TypeVar("Source", bound=Hashable)
"""Where messages come from; those of one source come in the order of their events."""


@dataclass(eq=False)
class _Event(Generic[Source]):
    """An event whose messages have not come."""

    number: int
    assigned: float
    missing: dict[Source, int]
    """The count of this event among the events of each source that it waits for."""


@dataclass(frozen=True)
class Delivery(Generic[Source]):
    """Messages to take now, all of one event."""

    event: int
    sources: frozenset[Source]
    first: bool
    """No other message of the event was taken before, and it was not passed over."""


@dataclass
class Deliveries(Generic[Source]):
    """The events of one worker in one trigger map."""

    passed: list[tuple[int, str]] = field(default_factory=list)
    """Event and stream of messages that are not waited for any more; take them out."""
    given_up: list[int] = field(default_factory=list)
    """Events that were passed over without any message; take them out."""
    wake_at: float | None = None
    """When to look again though nothing has come [s]; None: only when something has come."""
    _waiting: deque[_Event[Source]] = field(default_factory=deque)
    _behind: dict[Source, deque[tuple[int, int]]] = field(default_factory=dict)
    """Events that were passed over and their counts; their messages may come."""
    _streams: dict[Source, tuple[str, ...]] = field(default_factory=dict)
    _cameras: set[Source] = field(default_factory=set)
    _assigned: dict[Source, int] = field(default_factory=dict)
    _taken: dict[Source, int] = field(default_factory=dict)
    """By source, the count of the newest event whose message was taken."""
    _late: set[Source] = field(default_factory=set)
    _overtaken_at: float | None = None
    _taken_at: float = 0.0

    def assign(self, event: int, sources: Mapping[Source, tuple[str, ...]], now: float) -> None:
        """Take in an event, in their order.

        Args:
            event: its number.
            sources: where its messages come from, each with its streams.
            now: monotonic time [s].
        """
        missing: dict[Source, int] = {}
        for source, streams in sources.items():
            self._streams[source] = streams
            if any(stream in CAMERAS for stream in streams):
                self._cameras.add(source)
            missing[source] = self._assigned[source] = self._assigned.get(source, 0) + 1
        self._waiting.append(_Event(event, now, missing))

    @property
    def wanted(self) -> set[Source]:
        """The sources whose next message would be taken."""
        behind = {source for source, events in self._behind.items() if events}
        return behind.union(*(event.missing for event in self._waiting))

    def next_event(self, source: Source) -> int | None:
        """Return the event that the next message of a source belongs to; None: none does."""
        if self._behind.get(source):
            return self._behind[source][0][0]
        return next((event.number for event in self._waiting if source in event.missing), None)

    @property
    def idle(self) -> bool:
        """True when nothing is waited for."""
        return not self._waiting

    def take(self, readable: Collection[Source], now: float) -> Delivery[Source] | None:
        """Return what to take now; None: wait.

        Args:
            readable: sources of which a message is there.
            now: monotonic time [s].
        """
        self.wake_at = None
        for source in readable:
            if self._behind.get(source):
                return self._catch_up(source, now)
        seen: set[Source] = set()
        for event in self._waiting:
            there = {s for s in event.missing if s in readable and s not in seen}
            seen.update(event.missing)
            if there:
                return self._overtake(event, there, seen - there, now)
        self._pass_overdue(now)
        return None

    def _catch_up(self, source: Source, now: float) -> Delivery[Source]:
        event, count = self._behind[source].popleft()
        if not self._behind[source]:
            self._late.discard(source)
        self._taken[source] = count
        self._taken_at = now
        return Delivery(event, frozenset({source}), first=False)

    def _overtake(
        self, event: _Event[Source], there: set[Source], absent: set[Source], now: float
    ) -> Delivery[Source] | None:
        """Take messages of an event, though others before them or beside them may be absent."""
        waited_for = (absent & self._cameras) - self._late
        if waited_for:
            self._overtaken_at = now if self._overtaken_at is None else self._overtaken_at
            if now - self._overtaken_at < PATIENCE:
                self.wake_at = self._overtaken_at + PATIENCE
                return None
            self._late |= waited_for
        while self._waiting[0] is not event:
            self._pass_over(self._waiting.popleft())
        self._waiting.popleft()
        for source in there:
            self._taken[source] = event.missing.pop(source)
        self._leave_behind(event)
        self._overtaken_at, self._taken_at = None, now
        return Delivery(event.number, frozenset(there), first=True)

    def _pass_over(self, event: _Event[Source]) -> None:
        self.given_up.append(event.number)
        self._leave_behind(event)

    def _leave_behind(self, event: _Event[Source]) -> None:
        for source, count in event.missing.items():
            self._behind.setdefault(source, deque()).append((event.number, count))
            self.passed += [(event.number, stream) for stream in self._streams[source]]

    def _pass_overdue(self, now: float) -> None:
        """Pass over the next event when other cameras are ahead of it.

        Otherwise the worker would get no more work: dranspose gives it to idle workers.
        """
        while self._waiting and all(map(self._is_overdue, self._waiting[0].missing.items())):
            event = self._waiting[0]
            until = max(event.assigned, self._taken_at) + PATIENCE
            if now < until and not event.missing.keys() <= self._late:
                self.wake_at = until
                return
            self._late |= event.missing.keys()
            self._pass_over(self._waiting.popleft())

    def _is_overdue(self, missing: tuple[Source, int]) -> bool:
        """Say whether another camera is as far already."""
        source, count = missing
        others = [self._taken.get(s, 0) for s in self._cameras if s != source]
        if source in self._cameras:
            return max(others, default=0) >= count
        return max(others, default=0) > 0
