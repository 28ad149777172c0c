"""What a benchmark gives back: text for docs/performance.md, and whether its demands are met."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One part of the report."""

    title: str
    text: str
    """Markdown."""
    demands: Sequence[tuple[str, bool]] = ()
    """What has to hold, and whether it does."""


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out a table; numbers stand right."""
    lines = [
        "| " + " | ".join(head) + " |",
        "|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|",
    ]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
