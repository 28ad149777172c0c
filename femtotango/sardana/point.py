"""One point of a measurement: wait until its frames are processed, then give their values.

When a channel is read, the mean of the motor step does not exist yet: Sardana's record, which
closes the step, comes only after the acquisition. So the mean is computed from the device's running
totals: what they gained between the start and the end of the point came from the point's frames.
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
"""Sources whose value is the mean over the frames of the point."""


class Device(Protocol):
    """The part of tango.DeviceProxy that is used here."""

    def read_attributes(self, names: list[str]) -> list[Any]:
        """Read several attributes."""
        ...


@dataclass(frozen=True)
class Totals:
    """Progress and running totals of a scan, as the device shows them."""

    scan: int = 0
    running: bool = False
    frames: int = 0
    """Processed frames of the scan, failed ones included."""
    burst: int = 1
    sums: dict[str, float] = field(default_factory=dict)
    """Sum of the means of all frames, by ROI."""
    counts: dict[str, int] = field(default_factory=dict)
    """Number of frames with a mean, by ROI."""


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
    """Return the mean of a ROI over the frames between two polls of a scan; NaN without frames."""
    count = last.counts.get(name, 0)
    total = last.sums.get(name, 0.0)
    if first.scan == last.scan and first.counts.get(name, 0) <= count:
        count -= first.counts.get(name, 0)
        total -= first.sums.get(name, 0.0)
    return total / count if count else math.nan


class Point:
    """Wait for the frames of one point; used by one controller at a time."""

    def __init__(self, device: Device, timeout: float) -> None:
        self._device = device
        self._timeout = timeout
        self._first = Totals()
        self._last = Totals()
        self._deadline = 0.0
        self._time_limit = 0.0
        self.reachable = True
        """The device answered the last poll."""
        self.problem = ""
        """Why the point ended before all its frames were processed."""

    def begin(self, now: float, exposure: float) -> bool:
        """Note the totals before the camera starts.

        Args:
            now: monotonic time [s].
            exposure: time of the point itself, added to the time limit for processing [s].

        Returns:
            True when there are frames to wait for: a scan or continuous mode is running.
        """
        self.problem = ""
        self._time_limit = max(0.0, exposure) + self._timeout
        self._deadline = now + self._time_limit
        self._first = self._last = self._poll() or Totals()
        return self._first.running

    def waits(self, now: float) -> bool:
        """Poll; False when the frames are processed, the scan is over, or the time is up."""
        seen = self._poll()
        if seen is None:
            return now < self._deadline
        if seen.scan != self._first.scan:
            self.problem = "another scan has started"
            return False
        if seen.frames > self._last.frames:
            self._deadline = now + self._time_limit
        self._last = seen
        missing = self._first.frames + self._first.burst - seen.frames
        self.problem = "" if missing <= 0 else f"{missing} of {self._first.burst} frames missing"
        if missing <= 0 or not seen.running:
            return False
        return now < self._deadline

    def _poll(self) -> Totals | None:
        self.reachable = False
        try:
            totals = read_totals(self._device)
        except tango.DevFailed as error:
            self.problem = f"the analysis device does not answer: {error.args[0].desc}"
            return None
        self.reachable = True
        return totals

    def value(self, source: str) -> float:
        """Return a scalar value of the point; NaN when there is none.

        Args:
            source: a scalar attribute of the device. Roi1Mean … Roi8Mean give the mean over the
                frames of the point.

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
