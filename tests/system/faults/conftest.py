"""Fixtures of the fault suite: a stack that bears faults, and the table of outcomes."""

from collections.abc import Iterator

import pytest
from support.outcomes import Outcomes
from support.stack import reset
from support.victim import Victim


@pytest.fixture
def outcomes(request: pytest.FixtureRequest) -> Iterator[Outcomes]:
    """Take the rows of this test."""
    rows = Outcomes(request.node.name)
    yield rows
    report = getattr(request.node, "skipped", False)
    rows.close(skipped=bool(report))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember which tests were skipped: they have no outcome."""
    result = yield
    if result.get_result().skipped:  # pyright: ignore
        item.skipped = True  # pyright: ignore


@pytest.fixture(scope="session")
def _victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Victim]]:
    victims: list[Victim] = []
    yield victims
    for victim in victims:
        victim.close()


@pytest.fixture
def victim(_victims: list[Victim], tmp_path_factory: pytest.TempPathFactory) -> Victim:
    """Give a whole stack with every default, shared by all; a broken one is replaced."""
    if not (_victims and _victims[-1].whole()):
        for old in _victims:
            old.close()
        _victims.append(Victim(tmp_path_factory.mktemp("victim")))
        _victims[-1].start()
    with _victims[-1].player() as player:
        reset(player)
    return _victims[-1]
