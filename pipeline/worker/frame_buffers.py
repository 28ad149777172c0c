"""The buffered frames of all cameras: each camera has a buffer of its own."""

from collections import deque

from pipeline.protocols.batch import PartialSum
from pipeline.worker.frame_buffer import FrameBuffer

_REMEMBERED = 2
"""A camera that was in none of so many trigger maps gives its memory back."""


class FrameBuffers:
    """One buffer for each camera, so that frames of several cameras split no sum."""

    def __init__(self) -> None:
        self._buffers: dict[str, FrameBuffer] = {}
        self._used: dict[str, set[str]] = {}
        """Cameras in each of the newest trigger maps."""
        self._mappings: deque[str] = deque(maxlen=_REMEMBERED)

    def begin(self, mapping: str) -> None:
        """Note that a series of a trigger map begins; forget cameras that are no longer used."""
        if mapping in self._mappings:
            return
        used = set().union(*self._used.values())
        if len(self._mappings) == _REMEMBERED:
            for stream in self._buffers.keys() - used:
                if self._buffers[stream].is_empty:
                    del self._buffers[stream]
            del self._used[self._mappings[0]]
        self._mappings.append(mapping)
        self._used[mapping] = set()

    def of(self, stream: str) -> FrameBuffer:
        """Return the buffer of a camera."""
        if self._mappings:
            self._used[self._mappings[-1]].add(stream)
        if stream not in self._buffers:
            self._buffers[stream] = FrameBuffer()
        return self._buffers[stream]

    def flush(self) -> list[PartialSum]:
        """Return what is buffered of all cameras."""
        partials = [buffer.flush() for buffer in self._buffers.values()]
        return [partial for partial in partials if partial is not None]

    def flush_if_due(self) -> list[PartialSum]:
        """Return what has waited for as long as it may."""
        partials = [buffer.flush_if_due() for buffer in self._buffers.values()]
        return [partial for partial in partials if partial is not None]

    def give_back(self, partial: PartialSum) -> None:
        """Take back the arrays of a partial sum that has been delivered."""
        if partial.stream in self._buffers:
            self._buffers[partial.stream].pool.give_back_sum(partial)
