"""Messages that workers do not wait for any more, and that have not come."""

from collections.abc import Collection, Iterable

from pipeline.protocols.batch import Batch


class PassedOver:
    """Follows what the workers of one scan say of it."""

    def __init__(self) -> None:
        self._events: dict[int, dict[str, set[str]]] = {}
        """By event and stream, the workers that have passed its message over."""

    def __bool__(self) -> bool:
        """Return whether anything is outstanding."""
        return bool(self._events)

    def note(self, batch: Batch) -> None:
        """Take in what a batch says: of other events, and by coming."""
        for event, stream in batch.passed:
            self._events.setdefault(event, {}).setdefault(stream, set()).add(batch.worker)
        if not self._events:
            return
        waited_for = self._events.get(batch.event, {})
        for stream in batch.result.streams:
            waited_for.get(stream, set()).discard(batch.worker)
        if not any(waited_for.values()):
            self._events.pop(batch.event, None)

    def without_photons(self, events: Iterable[int], searched: Collection[str]) -> int:
        """Return how many of some events are known to bring no frame that is searched.

        Args:
            events: their numbers.
            searched: streams of the cameras whose photons are searched.
        """
        passed = [self._events[event] for event in events if event in self._events]
        return sum(not any(stream in searched for stream in streams) for streams in passed)
