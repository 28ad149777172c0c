"""What a benchmark gives back: text for docs/performance.md, and whether its demands are met."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Section:
    """One part of the report."""

    title: str
    text: str
    """Markdown."""
    demands: Sequence[tuple[str, bool]] = ()
    """What has to hold, and whether it does."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What docs/performance.json keeps of it, by name."""
    draw: Callable[[], None] | None = None
    """Draws the pictures of the page; not called beside other work."""


def spread(values: Sequence[float]) -> str:
    """Write the median of some rounds, the least and the most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def print_demands(section: Section) -> None:
    """Say which demands hold."""
    for what, holds in section.demands:
        print(f"  {'holds' if holds else 'FAILS'}: {what}", flush=True)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out a table; numbers stand right."""
    lines = [
        "| " + " | ".join(head) + " |",
        "|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|",
    ]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
