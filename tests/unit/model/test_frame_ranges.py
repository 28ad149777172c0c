"""Sets of frame numbers: the algebra against Python's sets, texts, JSON, huge numbers."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.frame_ranges import FrameRanges

LARGEST = 2**64 - 1
numbers = st.integers(0, 60)
ends = st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))
ranges = st.lists(ends, max_size=12)


def frames_of(pairs: list[tuple[int, int]]) -> set[int]:
    return {frame for first, last in pairs for frame in range(first, last + 1)}


def ranges_of(*frames: int) -> FrameRanges:
    found = FrameRanges()
    for frame in frames:
        found.add(frame)
    return found


def check(found: FrameRanges, expected: set[int]) -> None:
    """Demand the right frames, in the only form that they have."""
    assert list(found) == sorted(expected)
    assert found.count == len(expected)
    assert bool(found) == bool(expected)
    pairs = found.as_tuple()
    assert all(first <= last for first, last in pairs)
    assert all(b[0] - a[1] > 1 for a, b in pairwise(pairs))


@given(st.lists(numbers))
def test_single_frames_in_any_order(frames: list[int]) -> None:
    check(ranges_of(*frames), set(frames))


@given(ranges)
def test_ranges_in_any_order(pairs: list[tuple[int, int]]) -> None:
    found = FrameRanges(pairs)
    check(found, frames_of(pairs))
    for frame in range(-1, 62):
        assert (frame in found) == (frame in frames_of(pairs))


@given(ranges, ranges)
def test_union_and_difference(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    left, right = FrameRanges(a), FrameRanges(b)
    check(left.union(right), frames_of(a) | frames_of(b))
    check(left.difference(right), frames_of(a) - frames_of(b))
    check(left, frames_of(a))
    check(right, frames_of(b))
    assert left.difference(right).union(right) == right.union(left)
    left.update(right)
    check(left, frames_of(a) | frames_of(b))


@given(ranges)
def test_json_and_back(pairs: list[tuple[int, int]]) -> None:
    found = FrameRanges(pairs)
    assert FrameRanges(json.loads(json.dumps(found.as_tuple()))) == found


@given(st.lists(st.integers(LARGEST - 40, LARGEST)), st.lists(st.integers(0, LARGEST)))
def test_numbers_of_64_bits(close: list[int], anywhere: list[int]) -> None:
    frames = [*close, *anywhere]
    check(ranges_of(*frames), set(frames))
    everything = FrameRanges([(0, LARGEST)])
    left = everything.difference(ranges_of(*frames))
    assert left.count == 2**64 - len(set(frames))
    assert left.union(ranges_of(*frames)) == everything


def test_numbers_of_numpy_do_not_overflow() -> None:
    found = FrameRanges()
    for frame in np.array([LARGEST, 0, LARGEST - 1], np.uint64):
        found.add(frame)
    assert found.as_tuple() == ((0, 0), (LARGEST - 1, LARGEST))
    assert json.dumps(found.as_tuple()) == f"[[0, 0], [{LARGEST - 1}, {LARGEST}]]"


def test_a_copy_is_its_own() -> None:
    first = ranges_of(1, 2)
    second = first.copy()
    second.add(9)
    check(first, {1, 2})
    check(second, {1, 2, 9})


@pytest.mark.parametrize("wrong", [1.0, "1", None])
def test_what_is_no_number_is_refused(wrong: object) -> None:
    found = ranges_of(3)
    with pytest.raises(TypeError):
        found.add(wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="frames 5 to 4"):
        found.add_range(5, 4)
    check(found, {3})


def test_texts() -> None:
    assert str(ranges_of()) == ""
    assert str(ranges_of(4)) == "4"
    assert str(ranges_of(8, 0, 1, 2, 7, 5, 2)) == "0-2, 5, 7-8"


def test_long_texts_count_what_they_do_not_name() -> None:
    assert str(ranges_of(*range(0, 60, 2))).endswith("36, 38 and 10 more")
    assert ranges_of(0, 1, 5, 8, 9).text(max_ranges=2) == "0-1, 5 and 2 more"
    assert ranges_of(0, 1).text(max_ranges=0) == "and 2 more"
    assert len(str(ranges_of(*range(0, 1_000_000, 2)))) < 200


@given(ranges, st.integers(0, 5))
def test_a_text_speaks_of_every_frame(pairs: list[tuple[int, int]], limit: int) -> None:
    found = FrameRanges(pairs)
    named, _, more = found.text(limit).partition("and ")
    count = int(more.removesuffix(" more") or 0)
    for part in filter(None, named.strip().split(", ")):
        first, _, last = part.partition("-")
        count += int(last or first) - int(first) + 1
    assert count == found.count
