"""The words behind a region's name: rectangle, camera, and with what it is compared."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from femtotango.sardana.access import FemtomaxError
from pipeline.model.roi import Roi

RECTANGLE = ("x", "y", "width", "height")
_COMPARISONS = ("minus", "over")


@dataclass(frozen=True)
class Words:
    """What was said of a region; what is empty was not said."""

    numbers: tuple[float, ...] = ()
    """In the order of `RECTANGLE` [pixel]."""
    camera: str = ""
    comparison: dict[str, str] = field(default_factory=dict)
    """``minus`` and ``over``, as the JSON of a ROI has them."""


def read_words(words: Sequence[str]) -> Words:
    """Read ``[x y width height [camera]] [minus REGION] [over REGION]``.

    Args:
        words: as a macro got them.

    Raises:
        FemtomaxError: a word is not understood, or its region is missing.
    """
    left = list(words)
    numbers: list[float] = []
    while left and len(numbers) < len(RECTANGLE) and (number := _number(left[0])) is not None:
        numbers.append(number)
        left.pop(0)
    named = bool(numbers and left) and left[0].lower() not in _COMPARISONS
    camera = left.pop(0) if named else ""
    comparison: dict[str, str] = {}
    while left:
        key = left.pop(0).lower()
        if key not in _COMPARISONS:
            raise FemtomaxError(f"{key!r} is not understood: use minus <region>, over <region>.")
        if not left:
            raise FemtomaxError(f"Which region? {key} <region>")
        if key in comparison:
            raise FemtomaxError(f"{key} stands there twice: use it once.")
        comparison[key] = left.pop(0)
    return Words(tuple(numbers), camera, comparison)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def comparison(roi: Roi) -> str:
    """Return with what a region is compared, in the words of the macro; empty: with nothing."""
    minus = f" minus {roi.minus}" if roi.minus else ""
    return minus + (f" over {roi.over}" if roi.over else "")
