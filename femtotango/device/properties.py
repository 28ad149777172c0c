"""The device's properties, checked; pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from femtotango.component import kept
from femtotango.dranspose_client.addresses import PROPERTIES, Addresses

_DEFAULT_RATE = 5.0
_RATES = (0.1, 50.0)


@dataclass(frozen=True)
class Properties:
    """What the device was told, in a form that works; `errors` says what was not used."""

    addresses: Addresses
    update_rate: float
    """[Hz]"""
    balor: str
    output_folder: str
    allowed_folders: tuple[str, ...]
    kept: Mapping[str, Sequence[str]]
    """What the device wrote itself before a restart, by property."""
    errors: tuple[str, ...]

    @classmethod
    def read(cls, device: Any, unread: str = "") -> "Properties":
        """Read and check the properties of a device.

        Args:
            device: an instance of the device class.
            unread: why Tango could not read some; those that it did not are None.
        """
        errors = [f"The properties cannot be read: {unread.strip()}"] if unread else []
        addresses = Addresses.from_properties(
            {name: getattr(device, name) for name in PROPERTIES.values()}
        )
        for name, url in addresses.properties.items():
            known, needed = getattr(device, name) is not None, name != PROPERTIES["sardana"]
            if known and (url or needed) and not _is_http(url):
                errors.append(
                    f"Property {name} = {url!r}: expected an address like http://localhost:5000."
                )
        rate = _rate(device.UpdateRate)
        if rate is None:
            low, high = _RATES
            errors.append(
                f"Property UpdateRate = {device.UpdateRate}: expected {low:g} … {high:g} Hz."
            )
        given = [folder.strip() for folder in device.AllowedFolders or ()]
        folders = tuple(folder for folder in given if folder)
        errors += [
            f"Property AllowedFolders has {folder!r}: expected a path from the root, /data/process."
            for folder in folders
            if not folder.startswith("/")
        ]
        return cls(
            addresses,
            rate or _DEFAULT_RATE,
            (device.BalorDevice or "").strip(),
            (device.OutputFolder or "").strip(),
            folders,
            {name: getattr(device, name) or () for name in kept.PROPERTIES},
            tuple(errors),
        )


def _rate(text: str | float | None) -> float | None:
    """Return the update rate [Hz]; None: it cannot be used."""
    if text is None:
        return _DEFAULT_RATE
    try:
        rate = float(text)
    except ValueError:
        return None
    low, high = _RATES
    return rate if math.isfinite(rate) and low <= rate <= high else None


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
