"""The text that names the frames with neither raw data nor photons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtotango.component.frames_at_risk import first_frame, frames_at_risk
from pipeline.model.frame_ranges import FrameRanges
from pipeline.protocols.packed_datasets import FrameSafety


@pytest.mark.parametrize(
    ("safety", "first", "text"),
    [
        (FrameSafety(newest=56), 0, "57-"),
        (FrameSafety(newest=-1), 0, "0-"),
        (FrameSafety(newest=56), 80, "80-"),
        (FrameSafety(newest=56, unsafe="4-6, 9", waiting="11"), 0, "4-6, 9, 11, 57-"),
        (FrameSafety(newest=56, unsafe="4-6, 9", waiting="50-56"), 0, "4-6, 9, 50-"),
        (FrameSafety(newest=56, unsafe="4-6, 9", waiting="50-56"), 9, "9, 50-"),
        (FrameSafety(newest=9, unsafe="0-9"), 0, "0-"),
        (FrameSafety(newest=56, unsafe="4-6", waiting="50-56", series_ended=1), 5, "5-6, 50-56"),
        (FrameSafety(newest=56, series_ended=1, complete=1), 0, ""),
        (FrameSafety(newest=56, unsafe="1, 3 and 7 more", series_ended=1), 0, "1, 3 and more"),
        (FrameSafety(newest=56, unsafe="1, 3 and 7 more"), 0, "1, 3, 57-"),
    ],
)
def test_frames_are_named(safety, first, text):
    assert frames_at_risk(safety, first) == text


@pytest.mark.parametrize(("text", "first"), [("", None), ("3-5, 9", 3), ("7 and 2 more", 7)])
def test_the_first_frame(text, first):
    assert first_frame(text) == first


frames = st.sets(st.integers(0, 40), max_size=9).map(sorted)


def ranges(numbers):
    return FrameRanges((n, n) for n in numbers)


@given(frames, frames, st.integers(-1, 40), st.integers(0, 45), st.booleans())
def test_every_frame_at_risk_is_named_and_no_other(unsafe, waiting, newest, first, ended):
    safety = FrameSafety(
        unsafe=ranges(unsafe).text(100),
        waiting=ranges(waiting).text(100),
        newest=newest,
        series_ended=int(ended),
    )
    text = frames_at_risk(safety, first)
    named = set()
    for part in filter(None, text.split(", ")):
        low, dash, high = part.partition("-")
        named |= set(range(int(low), (int(high) if high else 50 if dash else int(low)) + 1))
    expected = {n for n in (*unsafe, *waiting) if n >= first}
    if not ended:
        expected |= set(range(max(first, newest + 1), 51))
    assert named == expected
