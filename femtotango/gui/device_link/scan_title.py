"""What is looked at, in one line: the scan and the device."""

from femtotango.gui.device_link.link import DeviceLink

WATCHED = frozenset({"ScanNumber", "ScanTitle"})


def scan_title(link: DeviceLink) -> str:
    """Return number and title of the scan, ``scan 12: ascan x 0 1 10 0.1``; empty without one."""
    number, title = int(link.value("ScanNumber", 0)), str(link.value("ScanTitle", "")).strip()
    if not number:
        return ""
    return f"scan {number}: {title}" if title else f"scan {number}"


def window_title(link: DeviceLink) -> str:
    """Return the title for a window: scan, device, program."""
    return " – ".join(filter(None, (scan_title(link), link.name.short, "femtotango")))
