"""Many frame numbers as a few ranges."""

from bisect import bisect_left

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


class Ranges:
    """A set of whole numbers, kept as sorted ranges, so that a long run stays small."""

    def __init__(self) -> None:
        self._first: list[int] = []
        self._last: list[int] = []

    def add(self, number: int) -> None:
        """Put a number in."""
        i = bisect_left(self._first, number + 1)
        if i and self._last[i - 1] >= number:
            return
        joins_left = i > 0 and self._last[i - 1] == number - 1
        joins_right = i < len(self._first) and self._first[i] == number + 1
        if joins_left and joins_right:
            self._last[i - 1] = self._last[i]
            del self._first[i], self._last[i]
        elif joins_left:
            self._last[i - 1] = number
        elif joins_right:
            self._first[i] = number
        else:
            self._first.insert(i, number)
            self._last.insert(i, number)

    def as_tuple(self) -> tuple[tuple[int, int], ...]:
        """Return ``(first, last)`` pairs, ascending."""
        return tuple(zip(self._first, self._last, strict=True))
