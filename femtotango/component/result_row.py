"""A read-only attribute as a row of a table."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from femtotango.component.state import View
from pipeline.model.parameters import PARAMETERS

Read = Callable[[View], Any]
"""Finds an attribute's value in a view."""


def _no_alarm(_: View) -> bool:
    return False


class Source(StrEnum):
    """Who tells a result: without that part there is none, and it is as old as the answer."""

    REDUCER = "reducer"
    """What the reducer has published."""
    POLL = "poll"
    """What each look at the reducer tells, also when nothing new was published."""
    CONTROLLER = "controller"
    DEVICE = "device"
    """The device itself, whatever is away."""


@dataclass(frozen=True)
class Result:
    """One read-only attribute."""

    name: str
    kind: type
    """float, int (64 bit), str, bool or numpy.float32."""
    doc: str
    read: Read
    unit: str = ""
    dims: tuple[int, ...] = ()
    """Largest ``(x,)`` or ``(x, y)``; empty: a scalar."""
    events: bool = True
    """Changes are pushed."""
    source: Source = Source.REDUCER
    alarm: Callable[[View], bool] = _no_alarm
    """Says whether this value is why State is ALARM."""
    expert: bool = False
    """Only experts and programs need it."""

    def valid(self, view: View) -> bool:
        """Say whether the part that tells it can be reached."""
        if self.source is Source.DEVICE:
            return True
        part = view.pipeline if self.source is Source.CONTROLLER else view.results
        return part.error is None

    def time(self, view: View) -> float | None:
        """Return when the value was true, epoch [s]; None: since it changed last."""
        if self.source is Source.DEVICE:
            return None
        if self.source is Source.CONTROLLER:
            return view.pipeline.time
        return view.results.polled if self.source is Source.POLL else view.results.time


def most_bins(parameter: str) -> tuple[int]:
    """Return the largest shape of an array with as many bins as a parameter says."""
    limits = PARAMETERS[parameter].limits
    assert limits is not None
    return (int(limits[1]),)
