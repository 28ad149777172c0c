from pathlib import Path

from femtotango.device_docs import device_page

PAGE = Path(__file__).parents[2] / "docs" / "device.md"


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text() == device_page(), "run: scripts/device-docs > docs/device.md"
