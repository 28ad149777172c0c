"""The parameter table as dranspose wants it."""

from collections.abc import Mapping, Sequence
from typing import Any

from dranspose.parameters import BoolParameter, FloatParameter, IntParameter, StrParameter
from dranspose.protocol import ParameterName

from pipeline.model.parameters import PARAMETERS, PULSE

_KINDS: dict[type, Any] = {
    bool: BoolParameter,
    int: IntParameter,
    float: FloatParameter,
    str: StrParameter,
}


def describe_parameters() -> list[Any]:
    """Return dranspose's description of every parameter."""
    return [
        _KINDS[p.kind](
            name=ParameterName(p.name),
            description=f"{p.help} [{p.unit}]" if p.unit else p.help,
            default=p.default,
        )
        for p in PARAMETERS.values()
    ]


class Changes:
    """Says whether dranspose's parameters have changed since they were taken last."""

    def __init__(self) -> None:
        self._seen: list[Any] | None = None
        """dranspose's objects; it puts another one in the place of what has changed."""
        self._taken: list[bytes] | None = None

    def there_are(self, parameters: Mapping[str, Any]) -> bool:
        """Say whether one has changed; dranspose changes them meanwhile."""
        # Objects that are the same are not looked into: that is all for nearly every frame.
        now = list(parameters.values())
        if now == self._seen:
            return False
        if _data_of(now) != self._taken:
            return True
        self._seen = now
        return False

    def take(self, parameters: Mapping[str, Any]) -> bool:
        """Say whether one has changed, and take them as they are."""
        now = list(parameters.values())
        if now == self._seen:
            return False
        before, self._taken, self._seen = self._taken, _data_of(now), now
        return self._taken != before


def _data_of(parameters: Sequence[Any]) -> list[bytes]:
    return [parameter.data for parameter in parameters]


def parameter_bytes(parameters: Mapping[str, Any] | None) -> dict[str, bytes]:
    """Copy the bytes of all settings at one moment; dranspose changes them meanwhile."""
    found = list((parameters or {}).items())
    return {name: parameter.data for name, parameter in found if name != PULSE}
