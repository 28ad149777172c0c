"""One point of a measurement: wait until its frames are processed, then tell what they gave.

A record of Sardana closes a point only after the acquisition, so the mean of the motor step does
not exist yet when a channel is read. The device's running totals of the scan give it: their
difference between the start and the end of the point is what the frames in between added.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import tango

_WATCHED = (
    "ScanNumber",
    "ScanFinished",
    "ScanFrames",
    "FramesPerPoint",
    "RoiNames",
    "RoiSums",
    "RoiCounts",
)
SLOTS = {f"roi{number}mean": number - 1 for number in range(1, 9)}
"""Sources that are given as the mean over the point's frames."""


class Device(Protocol):
    """What is used of tango.DeviceProxy."""

    def read_attributes(self, names: list[str]) -> list[Any]:
        """Read several attributes."""
        ...


@dataclass(frozen=True)
class Totals:
    """How far a scan is, as the device shows it."""

    scan: int = 0
    running: bool = False
    frames: int = 0
    """Frames of the scan, good or failed, whose results are in."""
    burst: int = 1
    sums: dict[str, float] = field(default_factory=dict)
    """By ROI, the sum of the means of the frames."""
    counts: dict[str, int] = field(default_factory=dict)
    """By ROI, the number of frames with a mean."""


def read_totals(device: Device) -> Totals:
    """Read the totals of the running scan.

    Raises:
        tango.DevFailed: the device does not answer.
    """
    values = {
        attribute.name: _value(attribute) for attribute in device.read_attributes(list(_WATCHED))
    }
    names = list(values["RoiNames"] or ())
    return Totals(
        scan=int(values["ScanNumber"] or 0),
        running=bool(values["ScanNumber"]) and values["ScanFinished"] is False,
        frames=int(values["ScanFrames"] or 0),
        burst=max(1, int(values["FramesPerPoint"] or 0)),
        sums=dict(zip(names, map(float, _items(values["RoiSums"])), strict=False)),
        counts=dict(zip(names, map(int, _items(values["RoiCounts"])), strict=False)),
    )


def mean_between(first: Totals, last: Totals, name: str) -> float:
    """Return a ROI's mean over the frames between two looks at the same scan; NaN without any."""
    count = last.counts.get(name, 0)
    total = last.sums.get(name, 0.0)
    if first.scan == last.scan and first.counts.get(name, 0) <= count:
        count -= first.counts.get(name, 0)
        total -= first.sums.get(name, 0.0)
    return total / count if count else math.nan


class Point:
    """Waits for the frames of one point; used by one controller at a time."""

    def __init__(self, device: Device, timeout: float) -> None:
        self._device = device
        self._timeout = timeout
        self._first = Totals()
        self._last = Totals()
        self._deadline = 0.0
        self._patience = 0.0
        self.reachable = True
        """The device answered when it was looked at last."""
        self.problem = ""
        """Why the point ended without all its frames."""

    def begin(self, now: float, exposure: float) -> bool:
        """Start before the camera does.

        Args:
            now: monotonic time [s].
            exposure: time that the point takes on top of the time for processing [s].

        Returns:
            True when frames are to be waited for: a scan or the continuous mode is running.
        """
        self.problem = ""
        self._patience = max(0.0, exposure) + self._timeout
        self._deadline = now + self._patience
        self._first = self._last = self._look() or Totals()
        return self._first.running

    def waits(self, now: float) -> bool:
        """Look again; False when the frames are in, the scan is over, or nothing came for long."""
        seen = self._look()
        if seen is None:
            return now < self._deadline
        if seen.scan != self._first.scan:
            self.problem = "another scan has started"
            return False
        if seen.frames > self._last.frames:
            self._deadline = now + self._patience
        self._last = seen
        missing = self._first.frames + self._first.burst - seen.frames
        self.problem = "" if missing <= 0 else f"{missing} of {self._first.burst} frames missing"
        if missing <= 0 or not seen.running:
            return False
        return now < self._deadline

    def _look(self) -> Totals | None:
        self.reachable = False
        try:
            totals = read_totals(self._device)
        except tango.DevFailed as error:
            self.problem = f"the analysis device does not answer: {error.args[0].desc}"
            return None
        self.reachable = True
        return totals

    def value(self, source: str) -> float:
        """Return a scalar of the point; NaN when there is none.

        Args:
            source: a scalar attribute of the device; Roi1Mean … Roi8Mean give the mean over the
                point's frames.

        Raises:
            tango.DevFailed: the device does not answer or has no such attribute.
        """
        slot = SLOTS.get(source.lower())
        if slot is not None and self._first.running:
            (slots,) = self._device.read_attributes(["RoiSlots"])
            names = list(_value(slots) or ())
            name = names[slot] if slot < len(names) else ""
            return mean_between(self._first, self._last, name)
        (attribute,) = self._device.read_attributes([source])
        value = _value(attribute)
        return math.nan if value is None else float(value)


def _items(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def _value(attribute: Any) -> Any:
    if getattr(attribute, "has_failed", False):
        raise tango.DevFailed(*attribute.get_err_stack())
    return attribute.value
