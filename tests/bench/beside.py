"""Whether demands hold beside other work: in two runs of three."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from bench.section import Section, markdown_table, print_demands

_ENOUGH, RUNS = 2, 3
_VALUE = re.compile(r": ([-+0-9.e]+ ?(?:%|×|s|ms|MB)?)$")

Verdicts = Mapping[str, Sequence[tuple[str, bool]]]
"""What was measured in each run, and whether the demand held, by section and demand."""


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep so many processes busy as long as the block lasts."""
    # They end with this process, however it ends.
    work = f"import os\nwhile os.getppid() == {os.getpid()}: pass"
    line = [sys.executable, "-c", work]
    others = [subprocess.Popen(line) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def verdicts(run: Callable[[], Section], found: dict[str, list[tuple[str, bool]]]) -> None:
    """Run a benchmark until each of its demands held, or failed, in two runs of three.

    Args:
        run: of its module.
        found: is added to, after each run.
    """
    for _ in range(RUNS):
        measured = run()
        print_demands(measured)
        names = []
        for text, holds in measured.demands:
            what, value = split(text)
            names.append(f"{measured.title}: {what}")
            found.setdefault(names[-1], []).append((value, holds))
        if all(decided([holds for _, holds in found[name]]) for name in names):
            return


def split(demand: str) -> tuple[str, str]:
    """Return what is demanded, and what was measured."""
    found = _VALUE.search(demand)
    return (demand[: found.start()], found[1]) if found else (demand, "")


def decided(runs: Sequence[bool]) -> bool:
    """Return whether more runs cannot change the verdict."""
    return max(runs.count(True), runs.count(False)) >= _ENOUGH


def kept(
    page: str, title: str, again: Verdicts
) -> tuple[dict[str, list[tuple[str, bool]]], dict[str, str]]:
    """Return what a page says of benchmarks that are not measured again, and the commit of each.

    Args:
        page: with a section as `section` writes it, or without.
        title: of that section.
        again: what is measured again.
    """
    text = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    titles = {what.partition(": ")[0] for what in again}
    rows: dict[str, list[tuple[str, bool]]] = {}
    commits: dict[str, str] = {}
    for line in text.splitlines():
        what, *cells = (cell.strip() for cell in line.strip("| ").split(" | "))
        runs = [(cell[:-1].strip(), cell[-1] == "✓") for cell in cells if cell[-1:] in ("✓", "✗")]
        if runs and what.partition(": ")[0] not in titles:
            rows[what] = runs
            commits[what] = cells[-1]
    return rows, commits


def section(found: Verdicts, processes: int, title: str, commits: Mapping[str, str]) -> Section:
    """Write which demands hold.

    Args:
        found: in each run.
        processes: that were busy meanwhile.
        title: of the section.
        commits: that were measured, by demand.
    """
    rows = [
        [what, *(f"{value} {'✓' if holds else '✗'}".strip() for value, holds in runs)]
        + ["–"] * (RUNS - len(runs))
        + [commits[what]]
        for what, runs in found.items()
    ]
    head = ["demand", *(f"run {n + 1}" for n in range(RUNS)), "commit"]
    text = (
        f"Demands of this page, measured beside {processes} busy "
        f"process{'es' if processes > 1 else ''}, in {_ENOUGH} runs, and a third where they "
        "disagree.\n\n" + markdown_table(head, rows)
    )
    failed = [
        what for what, runs in found.items() if [holds for _, holds in runs].count(True) < _ENOUGH
    ]
    demands = [
        (f"{len(found) - len(failed)} of {len(found)} hold in two runs of three", not failed)
    ]
    return Section(title, text, demands)
