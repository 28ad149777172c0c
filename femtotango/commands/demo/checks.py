"""Comparisons of what Tango shows with what was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from femtotango.stack.errors import WrongResult


@dataclass(frozen=True)
class Check:
    """One comparison."""

    what: str
    expected: str
    shown: str
    passed: bool


def equal(what: str, expected: Any, shown: Any) -> Check:
    """Compare two values."""
    return Check(what, str(expected), str(shown), bool(expected == shown))


def check_table(title: str, checks: Sequence[Check]) -> Table:
    """Return comparisons as a table."""
    table = Table(title=title)
    for column in ("", "sent", "shown by Tango", ""):
        table.add_column(column)
    for check in checks:
        mark = "[green]right[/]" if check.passed else "[red]WRONG[/]"
        table.add_row(escape(check.what), escape(check.expected), escape(check.shown), mark)
    return table


def require_passed(checks: Sequence[Check]) -> None:
    """Raise unless every comparison has passed.

    Raises:
        WrongResult: at least one has not; the text names each.
    """
    wrong = [f"{c.what}: expected {c.expected}, got {c.shown}" for c in checks if not c.passed]
    if wrong:
        raise WrongResult("\n".join(["What the device shows is wrong:", *wrong]))
