"""One point of a measurement: wait until its frames are processed, then give their values.

When a channel is read, the mean of the motor step does not exist yet: Sardana's record, which
closes the step, comes only after the acquisition. So the mean is computed from the device's running
totals: what they gained between the start and the end of the point came from the point's frames.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import tango
from numpy.typing import NDArray

from femtotango.sardana.frame_check import LOST
from pipeline.model.roi_statistics import STATISTICS

_WATCHED = (
    "ScanNumber",
    "ScanFinished",
    "ScanFrames",
    "Cameras",
    "CameraFrames",
    "FramesReceived",
    "FramesPerPoint",
    "RoiNames",
    "RoiSlots",
    "RoiTotals",
    "RoiWeights",
)
_SHORT = 2.0
"""Patience after a point without any frame [s]."""
SLOTS = {
    f"roi{number}{statistic}": (number - 1, statistic)
    for number in range(1, 9)
    for statistic in ("mean", "sum", "x", "y")
}
"""Sources whose value is the mean over the frames of the point: slot and statistic of each."""


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
    """Processed frames of the scan, of all cameras, failed ones included."""
    cameras: dict[str, int] = field(default_factory=dict)
    """The same of each camera; of a scan whose cameras are not known, under an empty name."""
    received: int = 0
    """Frames of all scans, those included that wait for the record of their point."""
    burst: int = 0
    """Requested frames per point and camera; 0: the scan was not prepared, wait for one."""
    slots: tuple[str, ...] = ()
    """ROI in each slot."""
    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """Sums over all frames, ``(statistic,)`` by ROI."""
    weights: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """What they are divided by: frames with a value, or sums of the denominators."""

    @property
    def requested(self) -> int:
        """Frames of all cameras that a point has."""
        return max(1, self.burst) * len(self.cameras)

    def missing_since(self, first: "Totals") -> dict[str, int]:
        """Return how many frames each camera lacks for a point that began with those totals."""
        end = {
            camera: first.cameras.get(camera, 0) + max(1, first.burst) for camera in self.cameras
        }
        return {camera: max(0, end[camera] - frames) for camera, frames in self.cameras.items()}


def read_totals(device: Device) -> Totals:
    """Read the totals of the running scan.

    Raises:
        tango.DevFailed: the device does not answer.
    """
    values = {
        attribute.name: _value(attribute) for attribute in device.read_attributes(list(_WATCHED))
    }
    names = list(values["RoiNames"] or ())
    frames = int(values["ScanFrames"] or 0)
    counts = map(int, _items(values["CameraFrames"]))
    cameras = dict(zip(_items(values["Cameras"]), counts, strict=False))
    return Totals(
        scan=int(values["ScanNumber"] or 0),
        running=bool(values["ScanNumber"]) and values["ScanFinished"] is False,
        frames=frames,
        cameras=cameras or {"": frames},
        received=int(values["FramesReceived"] or 0),
        burst=int(values["FramesPerPoint"] or 0),
        slots=tuple(map(str, _items(values["RoiSlots"]))),
        sums=dict(zip(names, map(np.asarray, _items(values["RoiTotals"])), strict=False)),
        weights=dict(zip(names, map(np.asarray, _items(values["RoiWeights"])), strict=False)),
    )


def mean_between(first: Totals, last: Totals, name: str, statistic: str) -> float:
    """Return a ROI's mean over the frames between two polls of a scan; NaN without frames.

    Args:
        first: of the earlier poll.
        last: of the later one.
        name: of the ROI.
        statistic: one of `STATISTICS`.
    """
    if name not in last.sums or name not in last.weights:
        return math.nan
    column = STATISTICS.index(statistic)
    total, weight = float(last.sums[name][column]), float(last.weights[name][column])
    if first.scan == last.scan and name in first.sums and name in first.weights:
        before = float(first.weights[name][column])
        # Totals that are smaller than before have begun anew, with a change of the ROI.
        if before <= weight:
            weight -= before
            total -= float(first.sums[name][column])
    return total / weight if weight > 0 else math.nan


class Point:
    """Wait for the frames of one point; used by one controller at a time."""

    def __init__(self, device: Device, timeout: float) -> None:
        self._device = device
        self._timeout = timeout
        self._first = Totals()
        self._last = Totals()
        self._deadline = 0.0
        self._time_limit = 0.0
        self._scan = 0
        self._received = 0
        """Frames of all scans when this one began."""
        self._frames: dict[str, int] = {}
        """Frames of each camera when the newest point began."""
        self._begun: int | None = 0
        """Points of this scan that have begun; None: the first was not seen."""
        self._silent: dict[str, int] = {}
        """Points in a row that waited in vain for any frame of a camera."""
        self._excess = False
        """More frames came than the points of this scan requested."""
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
            True when there are frames to wait for: a scan or continuous mode is running, and
            frames have come in the points before.
        """
        self.problem = ""
        seen = self._poll()
        self._first = self._last = seen or Totals()
        if seen is None:
            self._begun = None
            return False
        if not seen.running:
            return False
        if seen.scan != self._scan:
            self._scan, self._silent, self._excess = seen.scan, {}, False
            self._begun = None if seen.frames else 0
            self._received = seen.received
        else:
            for camera, frames in seen.cameras.items():
                if frames > self._frames.get(camera, 0):
                    self._silent.pop(camera, None)
        self._notice_excess(seen)
        if self._begun is not None:
            self._begun += 1
        self._frames = seen.cameras
        alive = [camera for camera in seen.cameras if self._waits_for(camera)]
        in_vain = any(self._silent.get(camera) for camera in alive)
        patience = min(self._timeout, _SHORT) if in_vain else self._timeout
        self._time_limit = max(0.0, exposure) + patience
        self._deadline = now + self._time_limit
        if not alive and not self._excess:
            self.problem = "no frames came in the points before: not waiting"
        return bool(alive) and not self._excess

    def _waits_for(self, camera: str) -> bool:
        return self._silent.get(camera, 0) < LOST

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
        missing = seen.missing_since(self._first)
        total = sum(missing.values())
        self.problem = f"{total} of {seen.requested} frames missing" if total else ""
        self._notice_excess(seen)
        awaited = [camera for camera in missing if missing[camera] and self._waits_for(camera)]
        if not awaited or not seen.running:
            return False
        if now >= self._deadline:
            for camera in awaited:
                if seen.cameras[camera] == self._first.cameras.get(camera, 0):
                    self._silent[camera] = self._silent.get(camera, 0) + 1
            return False
        return True

    def _notice_excess(self, seen: Totals) -> None:
        """From then on nobody knows which frames belong to which point."""
        # Without a prepared scan there is no number to compare with.
        if seen.burst and self._begun is not None:
            received = seen.received - self._received
            self._excess |= received > self._begun * seen.requested
            self._excess |= any(n > self._begun * seen.burst for n in seen.cameras.values())
        if self._excess:
            self.problem = f"more than {seen.requested} frames came for a point"

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
            source: a scalar attribute of the device. Roi1Mean … Roi8Mean, and the same with Sum, X
                and Y, give the mean over the frames of the point; NaN when no scan runs or more
                frames came than requested.

        Raises:
            tango.DevFailed: the device does not answer or has no such attribute.
        """
        if source.lower() in SLOTS:
            slot, statistic = SLOTS[source.lower()]
            # The newest frame's mean is of another point when none came for this one.
            if not self._first.running or self._excess:
                return math.nan
            slots = self._last.slots
            name = slots[slot] if slot < len(slots) else ""
            return mean_between(self._first, self._last, name, statistic)
        (attribute,) = self._device.read_attributes([source])
        value = _value(attribute)
        return math.nan if value is None else float(value)


def _items(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def _value(attribute: Any) -> Any:
    if getattr(attribute, "has_failed", False):
        raise tango.DevFailed(*attribute.get_err_stack())
    return attribute.value
