"""What a shot costs, step by step: who holds the difference to the empty stack."""

import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from baselines import BASELINE_FRAMES, BASELINE_SUM
from bench_cost import CASES, LIMIT, Case, is_exact
from feeding import ROUNDS, DeviceStack, EmptyStack, Frames, Run, alternate_runs, camera_frames
from section import Section, markdown_table, spread

from femtotango.dranspose_client.reducer import Reducer

_RUNGS = {
    "nothing": ("EmptyWorker", "a worker that returns nothing"),
    "number": ("NumberWorker", "it returns one small number for each shot"),
    "decode": ("DecodeWorker", "it also decodes the frames"),
    "read": ("ReadWorker", "it also reads each pixel once (`numpy.max`)"),
    "numpy": ("NumpyWorker", "it adds the frame to a float64 sum with plain numpy instead"),
}
"""Class of `baselines` and what it does, by name."""
_OURS = "ours"
_OWN = "femtotango: exact results through Tango while they grow, ROIs, masks, lost frames"
_STEPS: Mapping[str, Sequence[str]] = {"Pilatus": tuple(_RUNGS)}
"""Of a case; of another, those without a sum, which is only written for one camera."""
_SUMLESS = tuple(name for name in _RUNGS if name != "numpy")


class LadderStack(EmptyStack):
    """A stack whose workers do a part of the work, and a reducer that adds up what they return."""

    def __init__(self, streams: Sequence[str], worker: str, exit_stack: ExitStack) -> None:
        super().__init__(streams, exit_stack, worker, "NumberReducer")
        self._reducer = Reducer(self.info["reducer"])
        exit_stack.callback(self._reducer.close)

    def _end(self) -> None:
        """Read what the series gave."""
        self.frames = int(self._reducer.scalar(BASELINE_FRAMES))
        self.sum = float(self._reducer.scalar(BASELINE_SUM))


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
    texts, demands, figures = [], [], {}
    for case in CASES:
        runs, exact = measure(case)
        steps = {name: step(of_step, runs["nothing"]) for name, of_step in runs.items()}
        texts.append(text(case, runs, steps))
        demands += [(f"{case.title}, {name}: the result is right", ok) for name, ok in exact]
        figures |= {
            f"ladder, {case.title}, {name}": statistics.median(one.times)
            for name, one in steps.items()
            if name != "nothing"
        }
    head = (
        "User and system time of all processes for one shot, as above, with workers that do more "
        f"and more; {ROUNDS} series each in turn, 2 workers."
    )
    title = "Processor time of a shot, step by step"
    return Section(title, "\n\n".join([head, *texts]), demands, figures)


def measure(case: Case) -> tuple[dict[str, list[Run]], list[tuple[str, bool]]]:
    """Measure all steps of one case; say of each whether its result is right."""
    feeds = {stream: camera_frames(stream, case.images) for stream in case.streams}
    names = _STEPS.get(case.title, _SUMLESS)
    with ExitStack() as exit_stack:
        rungs = {n: LadderStack(case.streams, _RUNGS[n][0], exit_stack) for n in names}
        ours = DeviceStack(case.streams, exit_stack, **case.attributes)
        stacks = {name: (stack, case.shots) for name, stack in {**rungs, _OURS: ours}.items()}
        runs = alternate_runs(stacks, feeds, ROUNDS)
        exact = [(name, _right(name, rungs[name], case, feeds)) for name in names[1:]]
        exact.append((_OURS, is_exact(ours, case, feeds)))
    return runs, exact


def _right(name: str, rung: LadderStack, case: Case, feeds: Mapping[str, Frames]) -> bool:
    if name == "numpy":
        (feed,) = feeds.values()
        return math.isclose(rung.sum, feed.sum(case.shots), rel_tol=1e-9)
    return rung.frames == case.shots * len(case.streams)


def step(runs: Sequence[Run], empty: Sequence[Run]) -> Step:
    """Compare a step with the empty stack, each round with the one beside it."""
    pairs = list(zip(runs, empty, strict=True))
    return Step(
        cost=1e3 * statistics.median(run.processor for run in runs),
        times=[run.processor / other.processor for run, other in pairs],
        rates=[run.rate / other.rate for run, other in pairs],
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
            _OWN if name == _OURS else _RUNGS[name][1],
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
    adding = ""
    if "numpy" in steps:
        more = steps["numpy"].cost - steps["decode"].cost
        adding = f", adding them up with plain numpy {more:.1f} ms"
    kept = statistics.median(read.rates)
    return (
        f"{LIMIT} times the empty stack leaves {(LIMIT - 1) * empty.cost:.1f} ms for all that is "
        "done with a shot. dranspose's way of one small number from a worker to the reducer takes "
        f"{number.cost - empty.cost:.1f} ms, decoding and reading each pixel once "
        f"{read.cost - number.cost:.1f} ms{adding}. All that femtotango does takes "
        f"{own.cost - empty.cost:.1f} ms. A worker that only reads each pixel keeps {kept:.2f} of "
        "the empty worker's rate."
    )
