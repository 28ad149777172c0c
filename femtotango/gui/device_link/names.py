"""The name of a device as users write it, as Tango takes it, and as Taurus takes it."""

import re
from dataclasses import dataclass

_FORM = re.compile(
    r"^(?:(?P<scheme>tango|tango-nodb):)?"
    r"(?://)?(?:(?P<host>[^/:#]+):(?P<port>\d+)/)?"
    r"(?P<device>[^/:#\s]+(?:/[^/:#\s]+/[^/:#\s]+)?)"
    r"(?:#dbase=(?P<dbase>yes|no))?$",
    re.IGNORECASE,
)


class DeviceNameError(ValueError):
    """The text is no device name; the message says which forms are accepted."""


@dataclass(frozen=True)
class DeviceName:
    """The name of one device, for Tango and for Taurus."""

    tango: str
    """For `tango.DeviceProxy`."""
    taurus: str
    """For `taurus.Device` and every Taurus widget."""

    @property
    def short(self) -> str:
        """The name without the place of its database or server."""
        _, slashes, rest = self.tango.removesuffix("#dbase=no").rpartition("//")
        return rest.partition("/")[2] if slashes else rest

    def attribute(self, name: str) -> str:
        """Return the Taurus name of one of its attributes."""
        return f"{self.taurus}/{name}"


def parse_device_name(text: str) -> DeviceName:
    """Read the name of a device, with or without a Tango database.

    Args:
        text: ``a/b/c``, an alias, ``host:port/a/b/c``, ``tango://host:port/a/b/c``, the same with
            ``#dbase=no``, or Taurus' ``tango-nodb://host:port/a/b/c``.

    Returns:
        The names for Tango and for Taurus, which does not understand ``#dbase=no``.

    Raises:
        DeviceNameError: the text has none of these forms.
    """
    match = _FORM.match(text.strip())
    if match is None:
        raise DeviceNameError(
            f"{text!r} names no device: use a/b/c, an alias, or tango://host:port/a/b/c#dbase=no."
        )
    device = match["device"]
    where = f"//{match['host']}:{match['port']}/" if match["host"] else ""
    scheme = (match["scheme"] or "").lower()
    if scheme == "tango-nodb" or (match["dbase"] or "").lower() == "no":
        if not where:
            raise DeviceNameError(
                f"{text!r}: without a database the name needs host and port, "
                "as in tango://host:port/a/b/c#dbase=no."
            )
        return DeviceName(f"tango:{where}{device}#dbase=no", f"tango-nodb:{where}{device}")
    return DeviceName(f"tango:{where}{device}" if where else device, f"tango:{where}{device}")
