"""Fixtures and rules for all tests; README.md in this folder explains them."""

from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ("support.stack", "support.recordings", "support.leftovers")

# An example may take as long as it takes on a busy machine: the test has its own time limit.
settings.register_profile("femtotango", deadline=None)
settings.load_profile("femtotango")

ROOMS = ("sardana", "gui", "system", "device", "pipeline", "unit")
"""Order of the folders when several processes share the tests: the longest files come first, and
files with slow tests before all others, so that no process is left alone with one at the end."""
REAL_PROCESSES = frozenset({"stack", "breakable", "own_stack", "pipeline", "beamline", "screen"})
"""Fixtures that make a test slow."""
TOGETHER = {
    "tests/sardana/": "Sardana",
    **dict.fromkeys(
        (
            f"tests/device/test_{name}.py"
            for name in ("component", "life", "save_raw", "save_raw_disks", "settings")
        ),
        "pipeline",
    ),
}
"""Files that one process runs, because they share servers that only they need: by the start of
their path. All other files are shared out one by one."""
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
        items.sort(key=lambda i: (i.path not in slow, not _group(i.nodeid), _room(i)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Share out files, and some of them together."""
    return _FilesTogether(config, log) if config.getoption("dist") == "loadfile" else None


class _FilesTogether(LoadFileScheduling):
    def remove_node(self, node: Any) -> str | None:
        # What a process that crashes had finished must not be shared out again: xdist would wait
        # for tests that nobody runs.
        unit = self.assigned_work[node]
        for scope in [scope for scope, tests in unit.items() if all(tests.values())]:
            del unit[scope]
        return super().remove_node(node)

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid) or super()._split_scope(nodeid)


def _group(nodeid: str) -> str:
    """Return the name of the files that a test's file is kept together with; empty: none."""
    return next((name for start, name in TOGETHER.items() if nodeid.startswith(start)), "")


def _room(item: pytest.Item) -> int:
    room = item.path.relative_to(item.config.rootpath / "tests").parts[0]
    return ROOMS.index(room) if room in ROOMS else len(ROOMS)
