"""The parameter table as dranspose wants it."""

from collections.abc import Mapping
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
        self._taken: list[bytes] | None = None

    def there_are(self, parameters: Mapping[str, Any]) -> bool:
        """Say whether one has changed; dranspose changes them meanwhile."""
        return _data_of(parameters) != self._taken

    def take(self, parameters: Mapping[str, Any]) -> bool:
        """Say whether one has changed, and take them as they are."""
        now = _data_of(parameters)
        if now == self._taken:
            return False
        self._taken = now
        return True


def _data_of(parameters: Mapping[str, Any]) -> list[bytes]:
    # The bytes of all as they are: objects that are the same are compared at once.
    return [parameter.data for parameter in list(parameters.values())]


def parameter_bytes(parameters: Mapping[str, Any] | None) -> dict[str, bytes]:
    """Copy the bytes of all settings at one moment; dranspose changes them meanwhile."""
    found = list((parameters or {}).items())
    return {name: parameter.data for name, parameter in found if name != PULSE}
