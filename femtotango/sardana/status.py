"""What femto_status prints: the device's values, with scans called what Sardana calls them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SILENT = 3.0
"""The controller is asked several times a second; older news are none [s]."""

_ROWS = {
    "image": ["Detector", "Accumulate", "FrameCount", "ImageSum", "ImageMax", "ImageUnit"],
    "scan": ["ScanTitle", "ScanFinished", "ScanFrames", "EventsProcessed", "EventsTotal"],
    "frames": ["FrameRate", "LastFrameAge"],
    "regions": ["RoiNames", "RoiMeans"],
    "photons": ["PhotonCount", "PileupFraction", "SkippedFrames", "Trusted", "TrustReason"],
}


@dataclass(frozen=True)
class ScanNote:
    """What femto_prepare noted of the newest scan."""

    number: int
    """The device's number."""
    serial: int | None
    """Sardana's; None: a count without a number."""
    failed: int
    """Failed frames before it, of all scans."""
    error: str
    """The device's newest error before it."""

    @classmethod
    def read(cls, value: Any) -> "ScanNote | None":
        """Read it from the environment; None when it is not there or something else."""
        try:
            return cls(**value)
        except TypeError:
            return None


def status_lines(device: Any, note: ScanNote | None, now: float) -> Iterator[str]:
    """Yield the lines.

    Args:
        device: a tango.DeviceProxy.
        note: of the newest scan that was prepared here.
        now: epoch [s].

    Raises:
        tango.DevFailed: the device does not answer.
    """
    number = device.read_attribute("ScanNumber").value or 0
    if note is not None and note.number != number:
        note = None
    state, status = device.command_inout("State"), device.command_inout("Status")
    answered = device.read_attribute("EventsProcessed").get_date().totime()
    if now - answered > _SILENT and str(state) in ("ON", "RUNNING"):
        state = "NOT KNOWN"
        status = f"The controller has not answered for {now - answered:.0f} s. Before: {status}"
    yield f"{state}: {renumbered(status, note)}"
    for label, names in _ROWS.items():
        values = [text_of(attribute.value) for attribute in device.read_attributes(names)]
        pairs = ", ".join(f"{n} {v}" for n, v in zip(names, values, strict=True))
        first = f"{_called(number, note)}, " if label == "scan" else ""
        yield f"{label:<13} {first}{pairs}"
    failed, error = (a.value for a in device.read_attributes(["FailedFrames", "LastError"]))
    yield f"{'failures':<13} {failures(failed or 0, error or '', note)}"


def renumbered(status: str, note: ScanNote | None) -> str:
    """Return the device's Status with Sardana's number of the scan."""
    if note is None or note.serial is None:
        return status
    return re.sub(rf"\bScan {note.number}\b", f"Scan {note.serial}", status)


def _called(number: int, note: ScanNote | None) -> str:
    if note is None:
        return f"number {number} of the device"
    return "without a number in Sardana" if note.serial is None else f"number {note.serial}"


def failures(failed: int, error: str, note: ScanNote | None) -> str:
    """Return how many frames failed, and the newest error: of this scan where that is known.

    Args:
        failed: frames that failed, of all scans.
        error: the newest error, of any scan.
        note: of the newest scan.
    """
    if note is None:
        return f"FailedFrames {failed} of all scans, LastError {error or '-'}"
    # A device that was set up anew counts from 0.
    of_scan = failed - note.failed if failed >= note.failed else failed
    newest = "-" if error == note.error else renumbered(error, note)
    return f"FailedFrames {of_scan}, LastError {newest or '-'} (of this scan)"


def text_of(value: Any) -> str:
    """Return a value as a person reads it; a dash where there is none."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str | bool | int):
        return str(value) or "-"
    return " ".join(text_of(item) for item in list(value)) or "-"
