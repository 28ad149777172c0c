"""How old the shown image is, and whether that is late."""

import math

from femtotango.gui.device_link.link import DeviceLink

ENDLESS = 1_000_000
"""Only continuous mode expects this many events."""
WATCHED = frozenset({"LastFrameAge", "FrameRate", "State", "EventsTotal"})
_LATE = 5.0
"""Seconds without a frame that are always in order …"""
_PERIODS = 10.0
"""… and so many times the time between two frames too, at slow rates."""


def is_live(link: DeviceLink) -> bool:
    """Tell whether continuous mode runs."""
    running = str(link.value("State", "")) == "RUNNING"
    return running and int(link.value("EventsTotal", 0)) >= ENDLESS


def late_by(link: DeviceLink) -> float:
    """Return for how long no frame has come while frames are expected [s]; 0: all is in order.

    The image of a scan that has ended is never late.
    """
    if str(link.value("State", "")) != "RUNNING":
        return 0.0
    age, rate = link.value("LastFrameAge", math.nan), link.value("FrameRate", math.nan)
    allowed = max(_LATE, _PERIODS / rate if rate > 0 else 0.0)
    return float(age) if age > allowed else 0.0


def age_text(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
