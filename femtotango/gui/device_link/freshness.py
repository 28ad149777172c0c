"""How old the shown image is, and whether that is late."""

import math
import time

from femtotango.gui.device_link.link import DeviceLink

ENDLESS = 1_000_000
"""Only continuous mode expects this many events."""
WATCHED = frozenset(
    {"LastFrameAge", "FrameRate", "State", "EventsTotal", "ScanNumber", "ScanFinished"}
)
_LATE = 5.0
"""Seconds without a frame that are always in order …"""
_PERIODS = 10.0
"""… and so many times the time between two frames too, at slow rates."""


def is_running(link: DeviceLink) -> bool:
    """Tell whether frames are expected; State may be ALARM meanwhile."""
    state = str(link.value("State", ""))
    return state == "RUNNING" or (state == "ALARM" and not link.value("ScanFinished", True))


def is_live(link: DeviceLink) -> bool:
    """Tell whether continuous mode runs."""
    return is_running(link) and int(link.value("EventsTotal", 0)) >= ENDLESS


def late_by(link: DeviceLink, scan_age: float = math.inf) -> float:
    """Return for how long no frame has come while frames are expected [s]; 0: all is in order.

    The image of a scan that has ended is never late.

    Args:
        link: to the device.
        scan_age: for how long this scan has been known [s]: before, nobody expected frames.
    """
    if not is_running(link):
        return 0.0
    age, rate = link.value("LastFrameAge", math.nan), link.value("FrameRate", math.nan)
    age = min(age, scan_age)
    allowed = max(_LATE, _PERIODS / rate if rate > 0 else 0.0)
    return float(age) if age > allowed else 0.0


def age_text(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"


class ScanAge:
    """For how long the scan is known that runs."""

    def __init__(self) -> None:
        self._scan: int | None = None
        self._since = -math.inf

    def of(self, link: DeviceLink) -> float:
        """Return the time since the scan was new [s]; infinite: it ran before this window."""
        scan = link.value("ScanNumber")
        if scan is not None and scan != self._scan:
            self._since = -math.inf if self._scan is None else time.monotonic()
            self._scan = scan
        return time.monotonic() - self._since
