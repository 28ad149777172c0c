"""Waits for conditions, with one limit that a busy machine does not reach."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 100.0
"""How long a test waits for what must happen [s]; a condition that comes true ends the wait.

It tells a hang from a delay, nothing else: it is no statement about speed, which belongs to
`tests/bench`.
"""
STEADY = 1.0
"""How long a test looks on to see that something does *not* happen [s]."""
_POLL = 0.02
_SLOWEST_POLL = 0.1
"""The longer a condition takes, the less often it is asked: some look at every process there is."""


def wait_for(
    condition: Callable[[], Any],
    what: str | Callable[[], Any] = "the condition",
    limit: float = PATIENCE,
) -> Any:
    """Return the condition's first true value.

    Args:
        condition: asked again and again.
        what: names what is waited for, or is called to tell how things stand; shown on failure.
        limit: how long to wait [s].

    Raises:
        AssertionError: there was none in time.
    """
    begin = time.monotonic()
    while not (value := condition()):
        waited = time.monotonic() - begin
        if waited > limit:
            said = what() if callable(what) else what
            raise AssertionError(f"Waited {limit:g} s in vain for: {said}")
        time.sleep(min(_POLL + waited / 20, _SLOWEST_POLL))
    return value


def stays(condition: Callable[[], Any], what: str, duration: float = STEADY) -> None:
    """Fail when a condition does not hold all the time.

    Args:
        condition: asked again and again.
        what: names what should stay.
        duration: how long to look on [s].
    """
    end = time.monotonic() + duration
    while time.monotonic() < end:
        assert condition(), what() if callable(what) else what
        time.sleep(_POLL)
