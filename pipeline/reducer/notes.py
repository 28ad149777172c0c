"""What the reducer takes in, in order: said to whoever keeps a journal."""

from dataclasses import dataclass

from pipeline.model.parameter import Value
from pipeline.protocols.batch import Batch


@dataclass(frozen=True)
class Announced:
    """A trigger map has begun."""

    mapping: str
    time: float
    """Epoch [s]."""


@dataclass(frozen=True)
class SettingsTaken:
    """Settings have changed."""

    values: dict[str, Value]


@dataclass(frozen=True)
class Failed:
    """Something went wrong that no batch says."""

    error: str
    frames: int


@dataclass(frozen=True)
class GivenUp:
    """Events of a scan are not waited for any more."""

    mapping: str
    until: int
    """The first event behind them."""


@dataclass(frozen=True)
class Saved:
    """A sum is in a file, or need not be."""

    number: int
    """Of the sum."""
    count: int
    """Its frames then."""


@dataclass(frozen=True)
class BatchTaken:
    """A batch that was not seen before."""

    batch: Batch
    sums: tuple[int, ...]
    """Number of the sum that each of its partial sums went to; 0: to none."""
    time: float
    """Epoch [s]."""


Note = Announced | SettingsTaken | Failed | GivenUp | Saved | BatchTaken


class Notes:
    """Listens to the reducer's state, which calls it under its lock; this one forgets it all."""

    def note(self, note: Note) -> None:
        """Take a note; never waits."""
