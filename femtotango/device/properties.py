"""The device's properties, checked; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from femtotango.component.roi_slots import EMPTY
from femtotango.dranspose_client.addresses import PROPERTIES, Addresses

_DEFAULT_RATE = 5.0
_RATES = (0.1, 50.0)
_FREE = "no/roi"
"""A free slot; no ROI can have this name."""


@dataclass(frozen=True)
class Properties:
    """What the device was told, in a form that works; `errors` says what was not used."""

    addresses: Addresses
    update_rate: float
    """[Hz]"""
    balor: str
    output_folder: str
    q_values: tuple[float, ...]
    """As they were before a restart."""
    roi_slots: tuple[str, ...]
    """As they were before a restart."""
    errors: tuple[str, ...]

    @classmethod
    def read(cls, device: Any) -> "Properties":
        """Read and check the properties of a device.

        Args:
            device: an instance of the device class.
        """
        errors = []
        addresses = Addresses.from_properties(
            {name: getattr(device, name) for name in PROPERTIES.values()}
        )
        for name, url in addresses.properties.items():
            if (url or name != PROPERTIES["sardana"]) and not _is_http(url):
                errors.append(
                    f"Property {name} = {url!r}: expected an address like http://localhost:5000."
                )
        rate = float(device.UpdateRate)
        low, high = _RATES
        if not (math.isfinite(rate) and low <= rate <= high):
            errors.append(f"Property UpdateRate = {rate:g}: expected {low:g} … {high:g} Hz.")
            rate = _DEFAULT_RATE
        return cls(
            addresses,
            rate,
            device.BalorDevice.strip(),
            device.OutputFolder.strip(),
            tuple(float(q) for q in device.KeptQValues),
            _slots(device.KeptRoiSlots),
            tuple(errors),
        )


def slots_to_keep(slots: Sequence[str]) -> list[str]:
    """Return ROI slots as a property can hold them: Tango's files have no empty texts."""
    return [name or _FREE for name in slots]


def _slots(kept: Sequence[str]) -> tuple[str, ...]:
    return tuple("" if name == _FREE else str(name) for name in kept) or EMPTY


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
