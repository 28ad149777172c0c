"""Which process runs which tests, and how long what they share lives.

A stack costs 6 s of processor time to start and end, and a tenth of a core while it does nothing.
So tests that need the same shared fixture run one after the other, in one process as far as
possible, and the fixture ends before the first test that does not need it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

SHARED = {
    "stack": "tests/",
    "beamline": "tests/sardana/",
    "pipeline": "tests/device/",
    "_victims": "tests/system/faults/",
    "device_alone": "tests/gui/",
}
"""Session fixtures with real processes, and the folders where they are known by this name; those
that are needed longest come first."""
REAL_PROCESSES = frozenset({*SHARED, "breakable", "own_stack", "screen"})
"""Fixtures that make a test slow."""
ROOMS = ("sardana", "gui", "system", "device", "pipeline", "unit")
"""Order of the folders: the longest files come first, and slow tests before all others, so that no
process is left alone with a long file at the end."""
LIMIT = 600
"""Time limit of slow tests, the start of their stack included [s]; pyproject.toml has the others'.

It ends a test that hangs, and says nothing about speed.
"""
_NEEDS = "femtotango/needs"
_running = pytest.StashKey[dict[str, tuple[pytest.FixtureDef[Any], pytest.FixtureRequest]]]()


def needs(item: pytest.Item) -> tuple[str, ...]:
    """Return which of the shared fixtures a test needs."""
    names = getattr(item, "fixturenames", ())
    return tuple(n for n, start in SHARED.items() if n in names and item.nodeid.startswith(start))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs real processes as slow, give it time, and begin with it."""
    for item in items:
        if REAL_PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LIMIT))
    slow = {(item.path, needs(item)) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: _order(item, (item.path, needs(item)) in slow))
    if getattr(config, "cache", None) and hasattr(config, "workerinput"):
        # For the process that shares out the tests: it knows no more of them than their names.
        config.cache.set(_NEEDS, {item.nodeid: found for item in items if (found := needs(item))})


def _order(item: pytest.Item, slow: bool) -> tuple[bool, list[int], int]:
    shared = [[*SHARED].index(name) for name in needs(item)] or [len(SHARED)]
    room = item.path.relative_to(item.config.rootpath / "tests").parts[0]
    return not slow, shared, ROOMS.index(room) if room in ROOMS else len(ROOMS)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Iterator[None]:
    """Remember a shared fixture that begins."""
    if fixturedef.argname in SHARED and fixturedef.scope == "session":
        running = request.config.stash.setdefault(_running, {})
        running[fixturedef.argname] = fixturedef, request
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """End each shared fixture that the next test does not need."""
    result = yield
    running = item.config.stash.setdefault(_running, {})
    for name in running.keys() - set(needs(nextitem) if nextitem else ()):
        fixturedef, request = running.pop(name)
        fixturedef.finish(request)  # pyright: ignore[reportArgumentType]
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Share out files so that few processes need the same fixtures."""
    return _FewFixtures(config, log) if config.getoption("dist") == "loadfile" else None


class _FewFixtures(LoadFileScheduling):
    """Gives each process the tests of a file that need the same shared fixtures, as one unit."""

    def _assign_work_unit(self, node: Any) -> None:
        """Choose what the process goes on with.

        First what needs a fixture that it runs already, then what needs none that another process
        runs, and at last, when nothing else is left, the next unit that there is.
        """
        mine = self._held(node)
        others = {name for other in self.nodes if other is not node for name in self._held(other)}
        free = [unit for unit in self.workqueue if not others & _fixtures(unit)]
        known = [unit for unit in free if mine & _fixtures(unit)]
        self.workqueue.move_to_end((known or free or [*self.workqueue])[0], last=False)
        super()._assign_work_unit(node)

    def _held(self, node: Any) -> set[str]:
        units = [*self.assigned_work[node]]
        return _fixtures(units[-1]) if units else set()

    def remove_node(self, node: Any) -> str | None:
        # What a process that crashes had finished must not be shared out again: xdist would wait
        # for tests that nobody runs.
        work = self.assigned_work[node]
        for unit in [unit for unit, tests in work.items() if all(tests.values())]:
            del work[unit]
        return super().remove_node(node)

    def _split_scope(self, nodeid: str) -> str:
        return " ".join([super()._split_scope(nodeid), *self._needs().get(nodeid, ())])

    def _needs(self) -> dict[str, list[str]]:
        if not hasattr(self, "_found"):
            self._found = self.config.cache.get(_NEEDS, {}) if self.config.cache else {}
        return self._found


def _fixtures(unit: str) -> set[str]:
    return set(unit.split(" ")[1:])
