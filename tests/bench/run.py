"""Run all benchmarks and write docs/performance.md: `make bench`.

A benchmark is a module with a function `run` that returns a `Section`; name it in `MODULES`. Names
on the command line run those alone; the page keeps what it says of the others. With ``--beside 1``
a process uses a core meanwhile, and the page says which demands hold in two runs of three.
"""

import argparse
import importlib
import os
import platform
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from history import add_run, commit
from section import Section, print_demands

MODULES = (
    "bench_pilatus",
    "bench_balor",
    "bench_ladder",
    "bench_profile",
    "bench_shares",
    "bench_latency",
    "bench_images",
    "bench_growth",
    "bench_rois",
    "bench_photons",
    "bench_azimuthal",
    "bench_geometry",
    "bench_memory",
    "bench_viewer",
    "bench_reactions",
    "bench_process",
)
BESIDE = (
    "bench_pilatus",
    "bench_balor",
    "bench_cost",
    "bench_shares",
    "bench_latency",
    "bench_images",
    "bench_rois",
    "bench_photons",
    "bench_azimuthal",
    "bench_growth",
)
"""What is measured beside other work; of the ladder, its two ends."""
_BESIDE_TITLE = "Beside other work"
# Some modules are imported by unit tests too, as `bench.…`.
sys.path.append(str(Path(__file__).parents[1]))
_PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def main(wanted: list[str]) -> int:
    """Run benchmarks; 0 when all that is demanded of them holds."""
    sections = []
    for name in wanted or MODULES:
        print(f"{name} …", flush=True)
        section = _run(name)
        if section.draw is not None:
            section.draw()
        print(section.text)
        print_demands(section)
        sections.append(section)
        # One that fails costs nothing of those before it.
        _write([section], _PAGE.read_text() if _PAGE.exists() else "")
    if not wanted:
        # In this order, and without what is not measured any more.
        own = [section.title for section in sections]
        _write([], _PAGE.read_text(), [*own, _BESIDE_TITLE])
    add_run(machine(), {k: v for section in sections for k, v in section.figures.items()})
    print(f"{_PAGE} written")
    return 0 if all(holds for s in sections for _, holds in s.demands) else 1


def main_beside(wanted: list[str], processes: int) -> int:
    """Run benchmarks beside busy processes; 0 when each demand holds in two runs of three."""
    from bench import beside

    found: dict[str, list[tuple[str, bool]]] = {}
    with beside.busy(processes):
        for name in wanted or BESIDE:
            print(f"{name} beside {processes} …", flush=True)
            beside.verdicts(lambda name=name: _run(name), found)
            before = _PAGE.read_text()
            others, commits = beside.kept(before, _BESIDE_TITLE, found) if wanted else ({}, {})
            commits |= dict.fromkeys(found, commit())
            section = beside.section(found | others, processes, _BESIDE_TITLE, commits)
            _write([section], before)
    print(section.text)
    return 0 if all(holds for _, holds in section.demands) else 1


def _run(name: str) -> Section:
    return importlib.import_module(name).run()


def _write(sections: list[Section], before: str, titles: Sequence[str] = ()) -> None:
    _PAGE.write_text(page(sections, before, titles))


def machine() -> dict[str, str | int]:
    """Return what is measured on, and when."""
    return {
        "date": date.today().isoformat(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "dranspose": version("dranspose"),
        "numpy": version("numpy"),
    }


def page(sections: list[Section], before: str, titles: Sequence[str] = ()) -> str:
    """Write the report.

    Args:
        sections: what was measured now.
        before: the page so far; its other sections stay, with the date on which they were measured.
        titles: of all sections that stay, in their order; none: all, as they come.
    """
    facts = machine()
    when = f"Measured on {facts['date']}, commit {commit()}."
    kept = {text.partition("\n")[0]: text for text in before.split("\n## ")[1:]}
    for section in sections:
        demands = "\n".join(f"- {'✓' if ok else '✗'} {what}" for what, ok in section.demands)
        kept[section.title] = "\n\n".join(
            part for part in (section.title, when, section.text, demands) if part
        )
    kept = {title: kept[title] for title in titles or kept if title in kept}
    head = (
        f"Written by `make bench`: {facts['cores']} CPU cores, {facts['system']}, Python "
        f"{facts['Python']}, dranspose {facts['dranspose']}, numpy {facts['numpy']}. The figures "
        "of earlier runs are in [performance.json](performance.json)."
    )
    parts = ["# Performance", head, *(f"## {text.strip()}" for text in kept.values())]
    return "\n\n".join(parts) + "\n"


def _command() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    # argparse looks for the empty list, too, among what may be chosen.
    parser.add_argument("names", nargs="*", choices=[[], *MODULES, *BESIDE], metavar="NAME")
    parser.add_argument("--beside", type=int, default=0, metavar="PROCESSES")
    given = parser.parse_args()
    return main_beside(given.names, given.beside) if given.beside else main(given.names)


if __name__ == "__main__":
    sys.exit(_command())
