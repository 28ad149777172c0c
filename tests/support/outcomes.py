"""What the fault suite has seen, one row a test; as a program, writes them into a page.

Rows are kept only where the environment variable `FEMTOTANGO_OUTCOMES` names a file.
`python tests/support/outcomes.py ROWS PAGE` puts them, as a table, between the page's markers.
"""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

FILE = "FEMTOTANGO_OUTCOMES"
BEGIN, END = "<!-- fault table: written by make faults -->", "<!-- end of the fault table -->"
DEMANDED = 15.0
"""The next scan works so long after a fault [s]; what took longer is set in bold."""
_HEAD = ("what happened", "when", "frames lost", "how that is said", "next scan works after [s]")


@dataclass(frozen=True)
class Outcome:
    """One row."""

    what: str
    when: str = "in a scan"
    lost: str = "0"
    """Frames that were sent and are not in the sum, out of how many."""
    named: str = "–"
    """How the device says it."""
    seconds: float | None = None
    """From the fault to the end of the first scan that has all its frames; None: not measured."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        seconds = "–" if self.seconds is None else f"{self.seconds:.1f}"
        if self.seconds is not None and self.seconds > DEMANDED:
            seconds = f"**{seconds}**"
        texts = (self.what, self.when, self.lost, self.named, seconds)
        return tuple(" ".join(text.split()).replace("|", "/") for text in texts)


class Outcomes:
    """Takes the rows of one test."""

    def __init__(self, test: str) -> None:
        self._test = test
        self._recorded = False

    def record(self, outcome: Outcome) -> None:
        """Keep a row, and show it."""
        self._recorded = True
        print(" | ".join(outcome.cells))
        if os.environ.get(FILE):
            with Path(os.environ[FILE]).open("a") as file:
                file.write(json.dumps(asdict(outcome)) + "\n")

    def close(self, skipped: bool) -> None:
        """Keep a row for a test that has not come so far."""
        if not (self._recorded or skipped):
            self.record(Outcome(self._test, "–", "–", "**the test failed**"))


def table(rows: list[Outcome]) -> str:
    """Lay the rows out."""
    lines = ["| " + " | ".join(_HEAD) + " |", "|---|---|---|---|---:|"]
    lines += ["| " + " | ".join(row.cells) + " |" for row in rows]
    return "\n".join(lines)


def put_into(page: str, rows: list[Outcome]) -> str:
    """Return the page with a new table.

    Raises:
        ValueError: the page has no markers.
    """
    before, marker, rest = page.partition(BEGIN)
    _, other, after = rest.partition(END)
    if not (marker and other):
        raise ValueError(f"The page needs the lines {BEGIN!r} and {END!r}.")
    said = (
        f"Written by `make faults` on {date.today().isoformat()}: {os.cpu_count()} CPU cores, "
        f"Python {platform.python_version()}, load {os.getloadavg()[2]:.0f}."
    )
    return f"{before}{BEGIN}\n{said}\n\n{table(rows)}\n{END}{after}"


def main(rows_file: str, page_file: str) -> None:
    """Write the page."""
    lines = Path(rows_file).read_text().splitlines()
    page = Path(page_file)
    page.write_text(put_into(page.read_text(), [Outcome(**json.loads(line)) for line in lines]))


if __name__ == "__main__":
    main(*sys.argv[1:])
