"""What a shot costs, step by step: who holds the difference to the empty stack."""

import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench_cost import CASES, LIMIT, TITLE, Case, Cost, cost_text, is_exact, time_ratios
from feeding import ROUNDS, DeviceStack, EmptyStack, Frames, Run, alternate_runs, camera_frames
from rungs import RUNG_FRAMES, RUNG_SUM
from section import Section, markdown_table, spread

from femtotango.dranspose_client.reducer import Reducer

_RUNGS = {
    "nothing": ("baselines:EmptyWorker", "a worker that returns nothing"),
    "number": ("rungs:NumberWorker", "it returns one small number for each shot"),
    "together": ("rungs:TogetherWorker", "it sends those of 0.2 s together and takes no thread"),
    "decode": ("rungs:DecodeWorker", "it also decodes the frames"),
    "read": ("rungs:ReadWorker", "it also reads each pixel once (`numpy.max`)"),
    "photons": ("rungs:PhotonWorker", "it finds the photons instead, and throws them away"),
    "adds": ("rungs:AddWorker", "it adds the frames up as femtotango does, and does nothing else"),
    "numpy": ("rungs:NumpyWorker", "it adds the frame to a float64 sum with plain numpy instead"),
}
"""Its class and what it does, by name."""
_SELDOM = "seldom read"
_OURS = "ours"
_WORDS = {name: words for name, (_, words) in _RUNGS.items()} | {
    _SELDOM: "all that femtotango does, but its device fetches results once a second, not 5 ×; a "
    "series is over when it shows the last frame, up to a second late, which lowers the rate",
    _OURS: "femtotango: exact results through Tango while they grow, ROIs, masks, lost frames",
}
"""What is done in each step, by name."""
_COMMON = ("nothing", "number", "together", "decode", "read")
_STEPS: Mapping[str, Sequence[str]] = {
    "Pilatus": (*_COMMON, "adds", "numpy"),
    "Balor photons": (*_COMMON, "photons"),
    "Pilatus and Zyla": (*_COMMON, "adds"),
}
"""Of each case."""
_INSTEAD = {
    "photons": "finding the photons",
    "adds": "adding all up with femtotango's kernels",
    "numpy": "adding all up with plain numpy",
}
"""What is done to the pixels instead of reading them, by the name of the step."""


class LadderStack(EmptyStack):
    """A stack whose workers do a part of the work, and a reducer that adds up what they return."""

    def __init__(self, streams: Sequence[str], worker: str, exit_stack: ExitStack) -> None:
        super().__init__(streams, exit_stack, worker, "rungs:NumberReducer")
        self._reducer = Reducer(self.info["reducer"])
        exit_stack.callback(self._reducer.close)

    def _end(self) -> None:
        """Read what the series gave."""
        self.frames = int(self._reducer.scalar(RUNG_FRAMES))
        self.sum = float(self._reducer.scalar(RUNG_SUM))


@dataclass(frozen=True)
class Step:
    """What was measured of one step."""

    cost: float
    """Processor time of a shot [ms], median."""
    times: Sequence[float]
    """Of the empty stack's, of each round."""
    rates: Sequence[float]
    """Of the empty stack's, of each round."""
    rate: float
    """Shots/s, median."""


def run() -> Section:
    """Measure each step of each case in alternating rounds."""
    texts, costs, demands, figures = [], [], [], {}
    for case in CASES:
        runs, exact = measure(case)
        steps = {name: step(of_step, runs["nothing"]) for name, of_step in runs.items()}
        texts.append(text(case, runs, steps))
        cost = Cost(case.title, runs[_OURS], runs["nothing"])
        costs.append(cost)
        demands += [(f"{case.title}, {name}: the result is right", ok) for name, ok in exact]
        demands.append(cost.demand)
        figures[f"processor time, {case.title}"] = cost.times
        figures |= {
            f"ladder, {case.title}, {name}": statistics.median(one.times)
            for name, one in steps.items()
            if name not in ("nothing", _OURS)
        }
    middle = "Between the two, workers that do more and more, in the same rounds:"
    return Section(TITLE, "\n\n".join([cost_text(costs), middle, *texts]), demands, figures)


def measure(case: Case) -> tuple[dict[str, list[Run]], list[tuple[str, bool]]]:
    """Measure all steps of one case; say of each whether its result is right."""
    feeds = {stream: camera_frames(stream, case.images) for stream in case.streams}
    names = _STEPS[case.title]
    with ExitStack() as exit_stack:
        rungs = {n: LadderStack(case.streams, _RUNGS[n][0], exit_stack) for n in names}
        ours = DeviceStack(case.streams, exit_stack, **case.attributes)
        seldom = DeviceStack(case.streams, exit_stack, update_rate=1.0, **case.attributes)
        whole = {_SELDOM: seldom, _OURS: ours}
        stacks = {name: (stack, case.shots) for name, stack in {**rungs, **whole}.items()}
        runs = alternate_runs(stacks, feeds, ROUNDS)
        exact = [(name, _right(name, rungs[name], case, feeds)) for name in names[1:]]
        exact += [(name, is_exact(stack, case, feeds)) for name, stack in whole.items()]
    return runs, exact


def _right(name: str, rung: LadderStack, case: Case, feeds: Mapping[str, Frames]) -> bool:
    if name in ("adds", "numpy"):
        truth = sum(feed.sum(case.shots) for feed in feeds.values())
        return math.isclose(rung.sum, truth, rel_tol=1e-9)
    return rung.frames == case.shots * len(case.streams)


def step(runs: Sequence[Run], empty: Sequence[Run]) -> Step:
    """Compare a step with the empty stack, each round with the one beside it."""
    return Step(
        cost=1e3 * statistics.median(run.processor for run in runs),
        times=time_ratios(runs, empty),
        rates=[run.rate / other.rate for run, other in zip(runs, empty, strict=True)],
        rate=statistics.median(run.rate for run in runs),
    )


def text(case: Case, runs: Mapping[str, Sequence[Run]], steps: Mapping[str, Step]) -> str:
    """Write what was measured of a case."""
    head = [
        "what the workers do",
        "processor time [ms]",
        "times the first",
        "shots/s",
        "of the first",
    ]
    rows = [
        [
            f"*{name}*: {_WORDS[name]}",
            f"{one.cost:.1f}",
            spread(one.times),
            f"{one.rate:.0f}",
            spread(one.rates),
        ]
        for name, one in steps.items()
    ]
    return (
        f"### {case.title}, {case.shots} shots in a series\n\n"
        + markdown_table(head, rows)
        + "\n\nWho takes it [ms]:\n\n"
        + "\n".join(f"- {name}: {_parts(of_step)}." for name, of_step in runs.items())
        + f"\n\n{verdict(steps)}"
    )


def _parts(runs: Sequence[Run]) -> str:
    middle = {p: 1e3 * statistics.median(run.parts[p] for run in runs) for p in runs[0].parts}
    return ", ".join(f"{p} {middle[p]:.2f}" for p in sorted(middle, key=lambda p: -middle[p]))


def verdict(steps: Mapping[str, Step]) -> str:
    """Say who holds the difference to what `bench_cost` and the frame rates demand.

    Args:
        steps: of one case, by name.
    """
    empty, number, read, own = (steps[name] for name in ("nothing", "number", "read", _OURS))
    together = steps["together"].cost
    kept = statistics.median(read.rates)
    seldom = steps[_SELDOM].cost
    more = [
        f", {what} {steps[name].cost - steps['decode'].cost:.1f} ms"
        for name, what in _INSTEAD.items()
        if name in steps
    ]
    return (
        f"{LIMIT} times the empty stack leaves {(LIMIT - 1) * empty.cost:.1f} ms for all that is "
        "done with a shot. dranspose's way of one small number from a worker to the reducer takes "
        f"{number.cost - empty.cost:.1f} ms, those of 0.2 s together {together - empty.cost:.1f} "
        f"ms; decoding and reading each pixel once {read.cost - together:.1f} ms"
        f"{''.join(more)}. All that femtotango does takes {own.cost - empty.cost:.1f} ms, "
        f"of them {own.cost - seldom:.1f} ms for fetching results 5 × instead of once a second. "
        f"A worker that only reads each pixel keeps {kept:.2f} of the empty worker's rate."
    )
