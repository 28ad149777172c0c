"""Name many frames in a short text."""

_MAX_RANGES = 20


class FrameNames:
    """Remembers frames as ranges; after the first twenty ranges it only counts."""

    def __init__(self) -> None:
        self._ranges: list[list[int]] = []
        self._more = 0

    def __str__(self) -> str:
        text = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in self._ranges)
        return f"{text} and {self._more} more" if self._more else text

    def add(self, frame: int) -> None:
        """Remember a frame; frames come mostly in their order."""
        if self._ranges and not self._more and frame == self._ranges[-1][1] + 1:
            self._ranges[-1][1] = frame
        elif len(self._ranges) < _MAX_RANGES:
            self._ranges.append([frame, frame])
        else:
            self._more += 1
