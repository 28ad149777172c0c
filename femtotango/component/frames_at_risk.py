"""Which frames have neither raw data nor durable photons, as a text; pure."""

import re

from pipeline.model.frame_ranges import FrameRanges
from pipeline.protocols.packed_datasets import FrameSafety

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_MORE = re.compile(r"\band (\d+) more\b")


def frames_at_risk(safety: FrameSafety, first: int) -> str:
    """Name the frames of a series that have no durable photons.

    Args:
        safety: what the reducer tells of the series.
        first: frames before this one have raw data.

    Returns:
        `4-6, 9, 57-`: open at the end until the series is over, for its length is not known.
    """
    frames = _ranges(safety.unsafe).union(_ranges(safety.waiting))
    if first > 0:
        frames = frames.difference(FrameRanges([(0, first - 1)]))
    more = any(_MORE.search(text) for text in (safety.unsafe, safety.waiting))
    if safety.series_ended:
        text = frames.text()
        return f"{text} and more" if more and "more" not in text else text
    begin = max(first, safety.newest + 1)
    # The last range may reach up to the open one.
    for low, high in reversed(frames.as_tuple()):
        if high < begin - 1:
            break
        begin = min(begin, low)
    if begin > 0:
        before = FrameRanges([(0, begin - 1)])
        frames = frames.difference(frames.difference(before))
    else:
        frames = FrameRanges()
    return ", ".join(filter(None, (frames.text(), f"{begin}-")))


def first_frame(text: str) -> int | None:
    """Return the first frame that a text of ranges names; None: none."""
    found = _RANGE.search(text)
    return int(found[1]) if found else None


def _ranges(text: str) -> FrameRanges:
    """Read `3-5, 9 and 7 more`; what is only counted has no numbers."""
    pairs = _RANGE.findall(_MORE.sub("", text))
    return FrameRanges((int(low), int(high or low)) for low, high in pairs)
