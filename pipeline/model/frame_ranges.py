"""A set of frame numbers as a few ranges."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from operator import index

SHOWN_RANGES = 20
"""Ranges that a text names before it only counts."""


class FrameRanges:
    """A set of frame numbers, kept as sorted ranges, so that a long run stays small.

    Frames may come in any order and more than once. Numbers are Python's own integers, which do
    not overflow.

    Args:
        ranges: ``(first, last)`` pairs, both ends included, as `as_tuple` and its JSON have them.

    Raises:
        ValueError: a range ends before it begins.
        TypeError: an end is no whole number.
    """

    def __init__(self, ranges: Iterable[Iterable[int]] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        self._count = 0
        for first, last in ranges:
            self.add_range(first, last)

    def __repr__(self) -> str:
        return f"FrameRanges({list(self.as_tuple())})"

    def __str__(self) -> str:
        return self.text()

    def __bool__(self) -> bool:
        return bool(self._first)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FrameRanges):
            return NotImplemented
        return self._first == other._first and self._last == other._last

    __hash__ = None  # pyright: ignore[reportAssignmentType] - it can be changed

    def __contains__(self, frame: int) -> bool:
        i = bisect_right(self._first, frame)
        return i > 0 and frame <= self._last[i - 1]

    def __iter__(self) -> Iterator[int]:
        for first, last in zip(self._first, self._last, strict=True):
            yield from range(first, last + 1)

    @property
    def count(self) -> int:
        """Number of frames; no ``len()``, which cannot give more than 2**63 - 1."""
        return self._count

    def add(self, frame: int) -> None:
        """Put one frame in."""
        self.add_range(frame, frame)

    def add_range(self, first: int, last: int) -> None:
        """Put the frames from `first` to `last` in, both included.

        Raises:
            ValueError: `last` is smaller than `first`.
            TypeError: an end is no whole number.
        """
        # NumPy's integers would overflow.
        first, last = index(first), index(last)
        if last < first:
            raise ValueError(f"frames {first} to {last}: the last is smaller than the first.")
        if self._last and first > self._last[-1]:
            # Frames nearly always come one after the other.
            self._append(first, last)
            return
        # Ranges that overlap the new one or lie directly beside it are joined with it.
        begin = bisect_left(self._last, first - 1)
        end = bisect_right(self._first, last + 1)
        if begin < end:
            first = min(first, self._first[begin])
            last = max(last, self._last[end - 1])
        joined = zip(self._first[begin:end], self._last[begin:end], strict=True)
        self._count += last - first + 1 - sum(b - a + 1 for a, b in joined)
        self._first[begin:end] = [first]
        self._last[begin:end] = [last]

    def update(self, other: "FrameRanges") -> None:
        """Put all frames of another set in."""
        for first, last in other.as_tuple():
            self.add_range(first, last)

    def copy(self) -> "FrameRanges":
        """Return a set that may be changed without changing this one."""
        copy = FrameRanges()
        copy._first, copy._last, copy._count = self._first[:], self._last[:], self._count
        return copy

    def union(self, other: "FrameRanges") -> "FrameRanges":
        """Return the frames that are in either set."""
        both = self.copy()
        both.update(other)
        return both

    def difference(self, other: "FrameRanges") -> "FrameRanges":
        """Return the frames of this set that are not in the other one."""
        left = FrameRanges()
        for first, last in self.as_tuple():
            i = bisect_left(other._last, first)
            while i < len(other._first) and other._first[i] <= last:
                if first < other._first[i]:
                    left._append(first, other._first[i] - 1)
                first = other._last[i] + 1
                i += 1
            if first <= last:
                left._append(first, last)
        return left

    def as_tuple(self) -> tuple[tuple[int, int], ...]:
        """Return ``(first, last)`` pairs, ascending; JSON turns them into lists of two."""
        return tuple(zip(self._first, self._last, strict=True))

    def text(self, max_ranges: int = SHOWN_RANGES) -> str:
        """Name the frames: ``0-2, 5, 7-8 and 10 more``.

        Args:
            max_ranges: number of ranges to name; the frames in the others are only counted.
        """
        shown = list(zip(self._first[:max_ranges], self._last[:max_ranges], strict=True))
        text = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in shown)
        more = self._count - sum(b - a + 1 for a, b in shown)
        return f"{text} and {more} more".strip() if more else text

    def _append(self, first: int, last: int) -> None:
        """Put a range in that begins behind all others."""
        if self._last and first == self._last[-1] + 1:
            self._last[-1] = last
        else:
            self._first.append(first)
            self._last.append(last)
        self._count += last - first + 1
