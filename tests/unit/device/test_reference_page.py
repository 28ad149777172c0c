from pathlib import Path

from femtotango.device.reference_page import device_page

PAGE = Path(__file__).parents[3] / "docs" / "device.md"


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text() == device_page(), "run: scripts/device-docs > docs/device.md"
