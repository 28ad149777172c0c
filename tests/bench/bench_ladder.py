"""What a Pilatus frame costs, step by step: who holds the difference to the empty stack."""

import math
import statistics
from collections.abc import Sequence
from contextlib import ExitStack

from baselines import BASELINE_FRAMES, BASELINE_SUM
from bench_cost import LIMIT
from feeding import DeviceStack, EmptyStack, Frames, Run, alternate_runs, camera_frames
from section import Section, markdown_table

from femtotango.dranspose_client.reducer import Reducer

STREAM = "pilatus"
_SHOTS, _IMAGES, _ROUNDS = 1000, 24, 5
_RUNGS = {
    "nothing": ("EmptyWorker", "a worker that returns nothing"),
    "number": ("NumberWorker", "it returns one small number for each frame"),
    "decode": ("DecodeWorker", "it also decodes the frame"),
    "numpy": ("NumpyWorker", "it also adds the frame to a float64 sum with plain numpy"),
}
"""Class of `baselines` and what it does, by name."""
_OURS = "ours"
_OWN = "femtotango: exact sums through Tango while they grow, ROIs, masks, lost frames"


class LadderStack(EmptyStack):
    """A stack whose workers do a part of the work, and a reducer that adds up what they return."""

    def __init__(self, worker: str, exit_stack: ExitStack) -> None:
        super().__init__(STREAM, exit_stack, worker, "NumberReducer")
        self._reducer = Reducer(self.info["reducer"])
        exit_stack.callback(self._reducer.close)

    def _end(self) -> None:
        """Read what the series gave."""
        self.frames = int(self._reducer.scalar(BASELINE_FRAMES))
        self.sum = float(self._reducer.scalar(BASELINE_SUM))


def run() -> Section:
    """Measure each step in alternating rounds."""
    frames = camera_frames(STREAM, _IMAGES)
    with ExitStack() as exit_stack:
        rungs = {name: LadderStack(worker, exit_stack) for name, (worker, _) in _RUNGS.items()}
        ours = DeviceStack(STREAM, exit_stack)
        stacks = {name: (stack, _SHOTS) for name, stack in {**rungs, _OURS: ours}.items()}
        runs = alternate_runs(stacks, frames, _ROUNDS)
        exact = _exact(rungs, ours, frames)
    return section(runs, exact)


def _exact(rungs: dict[str, LadderStack], ours: DeviceStack, frames: Frames) -> dict[str, bool]:
    truth = frames.sum(_SHOTS)
    shown = ours.player.read("ImageSum")
    return {
        **{name: rungs[name].frames == _SHOTS for name in ("number", "decode")},
        "numpy": math.isclose(rungs["numpy"].sum, truth, rel_tol=1e-9),
        _OURS: math.isclose(shown, truth, rel_tol=1e-9),
    }


def section(runs: dict[str, list[Run]], exact: dict[str, bool]) -> Section:
    """Write what was measured.

    Args:
        runs: of each step, in their order.
        exact: whether the result of a step is right.
    """
    empty = runs["nothing"]
    rows, before, times, costs = [], 0.0, {}, {}
    for name, of_step in runs.items():
        cost = costs[name] = 1e3 * statistics.median(run.processor for run in of_step)
        ratios = [a.processor / b.processor for a, b in zip(of_step, empty, strict=True)]
        times[name] = statistics.median(ratios)
        rate = statistics.median(run.rate for run in of_step)
        added = f"{cost - before:+.1f}" if before else ""
        what = _OWN if name == _OURS else _RUNGS[name][1]
        rows.append([what, f"{cost:.1f}", added, f"{times[name]:.2f}", f"{rate:.0f}"])
        before = cost
    head = [
        "what the workers do",
        "processor time [ms]",
        "step [ms]",
        "times the first",
        "frames/s",
    ]
    text = (
        f"User and system time of all processes for one frame of 831×1475 float32, as above; "
        f"{_SHOTS} frames in a series, {_ROUNDS} series each in turn, 2 workers. Each step does "
        "what the one before it does, and more.\n\n"
        + markdown_table(head, rows)
        + "\n\nWho takes it [ms]:\n\n"
        + "\n".join(f"- {name}: {_parts(of_step)}." for name, of_step in runs.items())
        + f"\n\n{_verdict(costs)}"
    )
    demands = [(f"{name}: the result is right", right) for name, right in exact.items()]
    return Section(
        "Processor time of a Pilatus frame, step by step", text, demands, _figures(times)
    )


def _figures(times: dict[str, float]) -> dict[str, float]:
    return {f"ladder, {name}": ratio for name, ratio in times.items() if name != "nothing"}


def _parts(runs: Sequence[Run]) -> str:
    middle = {p: 1e3 * statistics.median(run.parts[p] for run in runs) for p in runs[0].parts}
    return ", ".join(f"{p} {middle[p]:.2f}" for p in sorted(middle, key=lambda p: -middle[p]))


def _verdict(costs: dict[str, float]) -> str:
    """Say who holds the difference to the demand of `bench_cost`.

    Args:
        costs: processor time of each step [ms].
    """
    empty, number, own = costs["nothing"], costs["number"], costs[_OURS]
    room = (LIMIT - 1) * empty
    return (
        f"{LIMIT} times the empty stack leaves {room:.1f} ms for all that is done with a frame. "
        f"dranspose's way of one small number from a worker to the reducer takes "
        f"{number - empty:.1f} ms of it, and adding the pixels up with plain numpy "
        f"{costs['numpy'] - costs['decode']:.1f} ms. All that femtotango does takes "
        f"{own - number:.1f} ms beside that number."
    )
