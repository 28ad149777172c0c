"""Processor time a shot takes from the whole stack, beside the same stack with an empty worker."""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bench_balor import found_offline, photons_of
from feeding import (
    ROUNDS,
    DeviceStack,
    EmptyStack,
    Frames,
    Run,
    alternate_runs,
    camera_frames,
    whole_frame,
)
from section import Section, markdown_table, spread

TITLE = "Processor time of a shot"
LIMIT, _GOAL = 1.25, 1.15
"""Times the empty stack."""


@dataclass(frozen=True)
class Case:
    """Cameras that are measured together."""

    title: str
    streams: Sequence[str]
    shots: int
    """Of a round."""
    images: int
    """Different ones, sent again and again."""
    attributes: Mapping[str, Any] = field(default_factory=dict)


CASES = (
    Case("Pilatus", ["pilatus"], 2000, 24),
    Case("Balor photons", ["andor3_balor"], 250, 8, {"PhotonRoi": whole_frame("andor3_balor")}),
    Case("Pilatus and Zyla", ["pilatus", "andor3_zyla10"], 700, 8),
)


def run() -> Section:
    """Measure each case in alternating rounds, without the steps between (`bench_ladder`)."""
    costs, demands = [], []
    for case in CASES:
        runs, exact = measure(case)
        costs.append(Cost(case.title, runs["ours"], runs["empty"]))
        demands += [(f"{case.title}: the result is right", exact), costs[-1].demand]
    return Section(TITLE, cost_text(costs), demands)


def time_ratios(runs: Sequence[Run], others: Sequence[Run]) -> list[float]:
    """Return the processor time of each round in times of the one beside it."""
    return [run.processor / other.processor for run, other in zip(runs, others, strict=True)]


@dataclass(frozen=True)
class Cost:
    """What a case takes, beside the empty stack in the same rounds."""

    title: str
    ours: Sequence[Run]
    empty: Sequence[Run]

    @property
    def ratios(self) -> list[float]:
        """Processor time in times of the empty stack's, of each round."""
        return time_ratios(self.ours, self.empty)

    @property
    def times(self) -> float:
        """Their median."""
        return statistics.median(self.ratios)

    @property
    def demand(self) -> tuple[str, bool]:
        """What is demanded, and whether it holds."""
        what = f"{self.title}: at most {LIMIT} times the empty stack: {self.times:.2f}"
        return what, self.times <= LIMIT

    @property
    def row(self) -> list[str]:
        """Of the table."""
        ours, empty = (
            f"{1e3 * statistics.median(run.processor for run in runs):.1f}"
            for runs in (self.ours, self.empty)
        )
        return [self.title, ours, empty, spread(self.ratios)]


def cost_text(costs: Sequence[Cost]) -> str:
    """Write what the cases take."""
    head = ["a shot", "femtotango [ms]", "empty worker [ms]", "times (of the rounds)"]
    return (
        "User and system time of all processes of the stack (2 workers, no journal), without the "
        f"source; {ROUNDS} series of some seconds each in turn with the same stack whose worker "
        f"returns nothing. It depends less on other work than a rate does. At most {LIMIT} times "
        f"the empty stack is demanded, {_GOAL} is the goal. What is given in times is the median "
        "of the rounds' own ratios, which is not always that of the two medians.\n\n"
        + markdown_table(head, [cost.row for cost in costs])
    )


def measure(case: Case) -> tuple[dict[str, list[Run]], bool]:
    """Measure one case; say whether the sums are right too."""
    feeds = {stream: camera_frames(stream, case.images) for stream in case.streams}
    with ExitStack() as exit_stack:
        ours = DeviceStack(case.streams, exit_stack, **case.attributes)
        empty = EmptyStack(case.streams, exit_stack)
        stacks = {"empty": (empty, case.shots), "ours": (ours, case.shots)}
        runs = alternate_runs(stacks, feeds, ROUNDS)
        return runs, is_exact(ours, case, feeds)


def is_exact(stack: DeviceStack, case: Case, feeds: Mapping[str, Frames]) -> bool:
    """Return whether a round gave numpy's sum of each camera, or the photons found offline."""
    if not case.attributes:
        return stack.has_summed(feeds, case.shots)
    (feed,) = feeds.values()
    return stack.player.read("PhotonCount") == photons_of(found_offline(feed), case.shots)
