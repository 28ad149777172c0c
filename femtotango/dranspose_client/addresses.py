"""Where the pipeline answers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

PROPERTIES = {"controller": "ControllerUrl", "reducer": "ReducerUrl", "sardana": "SardanaUrl"}
"""Property of the Tango device that holds each address."""


@dataclass(frozen=True)
class Addresses:
    """HTTP addresses of the pipeline's parts."""

    controller: str
    reducer: str
    sardana: str = ""
    """Sardana's ingester; empty: nobody can ask the workers to flush after a stop."""

    @classmethod
    def from_properties(cls, properties: Mapping[str, str | None]) -> "Addresses":
        """Take the addresses from the device's properties, by their names.

        Spaces are cut off; one that Tango could not read (None) is empty.
        """
        return cls(**{part: (properties[name] or "").strip() for part, name in PROPERTIES.items()})

    @classmethod
    def from_ready_info(cls, info: Mapping[str, Any]) -> "Addresses":
        """Take the addresses from the content of the ready file of `femtotango up`."""
        return cls(**{field.name: str(info[field.name]) for field in fields(cls)})

    @property
    def properties(self) -> dict[str, str]:
        """The device's properties that hold these addresses, by name."""
        return {name: str(getattr(self, part)) for part, name in PROPERTIES.items()}

    @property
    def replay(self) -> bool:
        """`femtotango replay` serves both with one address."""
        return self.controller.rstrip("/") == self.reducer.rstrip("/")
