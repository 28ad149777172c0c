"""Processor time a shot takes from the whole stack, beside the same stack with an empty worker."""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

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
from section import Section, markdown_table

LIMIT = 1.25
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
    Case("Pilatus", ["pilatus"], 1000, 24),
    Case("Balor photons", ["andor3_balor"], 100, 8, {"PhotonRoi": whole_frame("andor3_balor")}),
    Case("Pilatus and Zyla", ["pilatus", "andor3_zyla10"], 200, 8),
)


def run() -> Section:
    """Measure each case in alternating rounds."""
    rows, demands, figures, texts = [], [], {}, []
    for case in CASES:
        runs, exact = measure(case)
        ours, empty = ([1e3 * r.processor for r in runs[name]] for name in ("ours", "empty"))
        ratios = [a / b for a, b in zip(ours, empty, strict=True)]
        times = statistics.median(ratios)
        spread = f"{min(ratios):.2f}–{max(ratios):.2f}"
        own, bare = statistics.median(ours), statistics.median(empty)
        rows.append([case.title, f"{own:.1f}", f"{bare:.1f}", f"{times:.2f}", spread])
        texts.append(f"{case.title}, beside the empty worker [ms]: {_parts(runs)}.")
        figures[f"processor time, {case.title}"] = times
        demands += [
            (f"{case.title}: each sum is numpy's", exact),
            (f"{case.title}: at most {LIMIT} times the empty stack: {times:.2f}", times <= LIMIT),
        ]
    head = ["a shot", "femtotango [ms]", "empty worker [ms]", "times", "of the rounds"]
    text = (
        "User and system time of all processes of the stack (2 workers, no journal), without the "
        f"source; {ROUNDS} series each in turn with the same stack whose worker returns "
        "nothing. It depends less on other work than a rate does.\n\n"
        + markdown_table(head, rows)
        + "\n\nWho takes it:\n\n"
        + "\n".join(f"- {text}" for text in texts)
    )
    return Section("Processor time of a shot", text, demands, figures)


def _parts(runs: Mapping[str, Sequence[Run]]) -> str:
    """Write what each part takes in ours, and in the empty stack."""

    def middle(name: str, part: str) -> float:
        return 1e3 * statistics.median(run.parts[part] for run in runs[name])

    parts = sorted(runs["ours"][0].parts, key=lambda part: -middle("ours", part))
    return ", ".join(f"{p} {middle('ours', p):.1f} ({middle('empty', p):.1f})" for p in parts)


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
    """Return whether the sum of each camera over a round is numpy's."""
    if case.attributes:
        # Of photons, the count is compared offline in the benchmark of their rate.
        return stack.player.read("FrameCount") == case.shots
    names = {s: "ImageSum" if len(case.streams) == 1 else f"ImageSum_{s}" for s in case.streams}
    truths = {stream: feeds[stream].sum(case.shots) for stream in case.streams}
    return all(
        abs(stack.player.read(name) - truths[stream]) < 1e-9 * truths[stream]
        for stream, name in names.items()
    )
