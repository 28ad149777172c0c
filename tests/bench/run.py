"""Run all benchmarks and write docs/performance.md: `make bench`.

A benchmark is a module with a function `run` that returns a `Section`; name it in `MODULES`. Names
on the command line run those alone, without writing the page.
"""

import importlib
import os
import platform
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

from section import Section

MODULES = (
    "bench_pilatus",
    "bench_balor",
    "bench_photons",
    "bench_azimuthal",
    "bench_geometry",
    "bench_memory",
    "bench_viewer",
    "bench_reactions",
    "bench_process",
)
_PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def main(wanted: list[str]) -> int:
    """Run benchmarks; 0 when all that is demanded of them holds."""
    sections = []
    for name in wanted or MODULES:
        print(f"{name} …", flush=True)
        section: Section = importlib.import_module(name).run()
        print(section.text)
        for what, holds in section.demands:
            print(f"  {'holds' if holds else 'FAILS'}: {what}", flush=True)
        sections.append(section)
    if not wanted:
        _PAGE.write_text(page(sections))
        print(f"{_PAGE} written")
    return 0 if all(holds for s in sections for _, holds in s.demands) else 1


def page(sections: list[Section]) -> str:
    """Write the report."""
    machine = (
        f"Written by `make bench` on {date.today().isoformat()}: {os.cpu_count()} CPU cores, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, dranspose "
        f"{version('dranspose')}, numpy {version('numpy')}."
    )
    parts = ["# Performance", machine]
    for section in sections:
        parts += [f"## {section.title}", section.text]
        parts += ["\n".join(f"- {'✓' if ok else '✗'} {what}" for what, ok in section.demands)]
    return "\n\n".join(part for part in parts if part) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
