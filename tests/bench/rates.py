"""How rates are compared and shown."""

import statistics
from collections.abc import Mapping, Sequence

from feeding import ratio
from section import markdown_table

_NAMES = {
    "empty": "the same stack with a worker that returns nothing",
    "ours": "femtotango, to the exact FrameCount through Tango",
    "journal": "the same with a journal",
    "images": "the same stack with a worker that sends every image to the reducer",
}

Rates = Mapping[str, Sequence[float]]
"""Frames/s of each round, by the names above."""


def of_empty(rates: Rates, least: float) -> tuple[str, bool]:
    """Demand a share of the rate that dranspose has with a worker that does nothing."""
    share = ratio(rates["ours"], rates["empty"])
    return f"at least {least} of an empty worker's rate: {share:.2f}", share >= least


def figures(rates: Rates, camera: str) -> dict[str, float]:
    """Return what the history keeps of a camera: each rate beside the empty worker's."""
    others = {name: values for name, values in rates.items() if name != "empty"}
    return {
        f"rate, {camera}, {name}": ratio(values, rates["empty"]) for name, values in others.items()
    }


def rate_table(rates: Rates) -> str:
    """Lay out all rates."""
    rows = [
        [_NAMES[name], f"{statistics.median(values):.0f}", ", ".join(f"{v:.0f}" for v in values)]
        for name, values in rates.items()
    ]
    return markdown_table(["frames/s", "median", "all"], rows)
