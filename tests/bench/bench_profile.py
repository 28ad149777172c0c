"""Where the time goes in dranspose's processes, where they do next to nothing for us: py-spy."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from bench_cost import CASES, Case, is_exact
from bench_ladder import LadderStack
from feeding import DeviceStack, Frames, camera_frames
from processes import named_processes
from samples import RATE, SECONDS, busy_with, functions, sampled
from section import Section, markdown_table

STREAM = "pilatus"
_PARTS = ("camera ingester", "worker1", "reducer", "controller")
_OWN_PARTS = ("worker1", "reducer")
"""In which our own code runs."""
_SHOTS, _IMAGES = 1000, 24
_SHOWN = 6
"""Functions of each part."""


def run() -> Section:
    """Sample each part at full speed, with a worker of one number and with femtotango."""
    frames = camera_frames(STREAM, _IMAGES)
    with ExitStack() as exit_stack:
        stack = LadderStack([STREAM], "rungs:NumberWorker", exit_stack)
        profiles = _sample(stack, {STREAM: frames}, _SHOTS, _PARTS)
        exact = stack.frames == _SHOTS
    shares = {}
    for case in CASES:
        shares[case.title], right = _shares(case)
        exact = exact and right
    return section({part: functions(of_part) for part, of_part in profiles.items()}, shares, exact)


def _shares(case: Case) -> tuple[dict[str, tuple[int, int]], bool]:
    """Sample what femtotango does; say whether the sums were right too."""
    feeds = {stream: camera_frames(stream, case.images) for stream in case.streams}
    with ExitStack() as exit_stack:
        stack = DeviceStack(case.streams, exit_stack, **case.attributes)
        samples = _sample(stack, feeds, case.shots, _OWN_PARTS)
        return {part: busy_with(of_part) for part, of_part in samples.items()}, is_exact(
            stack, case, feeds
        )


def _sample(
    stack: DeviceStack, feeds: Mapping[str, Frames], shots: int, parts: Sequence[str]
) -> dict[str, str]:
    """Sample parts of a stack, one after the other, while it gets series after series."""
    with _fed(stack, feeds, shots):
        named = named_processes(stack.info["pid"])
        return {part: sampled(named[part][0].pid) for part in parts}


@contextmanager
def _fed(stack: DeviceStack, feeds: Mapping[str, Frames], shots: int) -> Iterator[None]:
    over = threading.Event()

    def feed() -> None:
        while not over.is_set():
            stack.run(feeds, shots)

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        yield
    finally:
        over.set()
        feeding.join()


def section(
    profiles: Mapping[str, Counter[str]],
    shares: Mapping[str, Mapping[str, tuple[int, int]]],
    exact: bool,
) -> Section:
    """Write what was sampled.

    Args:
        profiles: with a worker of one number, by process and function.
        shares: of each case and process, the samples in our code and in that of others.
        exact: all results were right.
    """
    rows = [
        [part, f"`{name}`", f"{100 * count / profile.total():.0f}"]
        for part, profile in profiles.items()
        for name, count in profile.most_common(_SHOWN)
    ]
    owners = [
        [title, part, *(f"{100 * count / sum(counts):.0f}" for count in counts)]
        for title, of_case in shares.items()
        for part, counts in of_case.items()
    ]
    text = (
        "Pilatus frames at full speed, and a worker that returns one small number for each: what "
        f"is left is dranspose's own. Share of the samples of py-spy ({RATE} a second over "
        f"{SECONDS} s) by the Python function that ran or had called what ran; the {_SHOWN} most. "
        "In `select` and `_worker` a process also waits.\n\n"
        + markdown_table(["process", "function", "% of its samples"], rows)
        + "\n\nWith all that femtotango does, at full speed: whose code a busy process is in, "
        "with what that has called. The others are dranspose, its HTTP server, Redis' client "
        "and asyncio.\n\n"
        + markdown_table(["shots", "process", "femtotango [%]", "others [%]"], owners)
        + "\n\nWhat should change there stands in the [reports for dranspose](upstream.md)."
    )
    return Section("Where dranspose's time goes", text, [("all results were right", exact)])
