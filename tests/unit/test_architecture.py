"""The documents say what stands in the tree."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = DOCS / "architecture.md"
DECISIONS = DOCS / "decisions"
PAGES = sorted(
    [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
)
_PATH = re.compile(r"`((?:pipeline|femtotango|tango_db|tests|docs|scripts|\.ci)/[\w./-]*)`")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_HEAD = re.compile(r"^# (\d+) · (.+)\n\nDate: (\d{4}-\d\d-\d\d) · Status: (.+)\n")


def packages() -> list[str]:
    found = [path.parent for top in ("pipeline", "femtotango") for path in rooms(top)]
    return [f"{path.relative_to(ROOT).as_posix()}/" for path in found]


def rooms(top: str) -> list[Path]:
    return sorted((ROOT / top).rglob("__init__.py"))


def test_every_package_is_named() -> None:
    missing = [package for package in packages() if f"`{package}`" not in PAGE.read_text()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_exists(page: Path) -> None:
    text = page.read_text()
    assert [path for path in _PATH.findall(text) if not (ROOT / path).exists()] == []
    assert [link for link in _LINK.findall(text) if not (page.parent / link).exists()] == []


def test_every_decision_is_in_the_index_with_date_and_status() -> None:
    index = (DECISIONS / "README.md").read_text()
    records = sorted(DECISIONS.glob("[0-9]*.md"))
    for number, record in enumerate(records, start=1):
        head = _HEAD.match(record.read_text())
        assert head, f"{record.name} does not begin as template.md does"
        assert int(head[1]) == number
        line = f"| [{number}]({record.name}) | {head[2]} | {head[3]} | {head[4]} |"
        assert line in index
