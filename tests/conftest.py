"""Fixtures and rules for all tests; README.md in this folder explains them."""

import pytest
from hypothesis import settings

pytest_plugins = ("support.stack", "support.recordings", "support.leftovers")

# An example may take as long as it takes on a busy machine: the test has its own time limit.
settings.register_profile("femtotango", deadline=None)
settings.load_profile("femtotango")

ROOMS = ("gui", "sardana", "system", "device", "pipeline", "unit")
"""Order of the folders when several processes share the tests: the longest files come first, and
files with slow tests before all others, so that no process is left alone with one at the end."""
REAL_PROCESSES = frozenset({"stack", "breakable", "own_stack", "pipeline", "screen"})
"""Fixtures that make a test slow."""
LIMIT = 600
"""Time limit of slow tests, the start of their stack included [s]; pyproject.toml has the others'.

It ends a test that hangs, and says nothing about speed.
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs real processes as slow, give it time, and begin with it."""
    for item in items:
        if REAL_PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LIMIT))
    if config.getoption("dist", "no") != "no":
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: (item.path not in slow, _room(item)))


def _room(item: pytest.Item) -> int:
    room = item.path.relative_to(item.config.rootpath / "tests").parts[0]
    return ROOMS.index(room) if room in ROOMS else len(ROOMS)
