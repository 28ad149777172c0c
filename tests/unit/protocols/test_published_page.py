from pathlib import Path

from pipeline.protocols.published_page import published_page

PAGE = Path(__file__).parents[3] / "docs" / "published.md"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text() == published_page(), "run: scripts/published-docs > docs/published.md"
