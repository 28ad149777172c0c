"""Macros around a scan: wait for the results, continuous mode, show the status."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import time
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Type

from femtotango.sardana.access import FemtomaxError, choose, connect, plain_errors, variable
from femtotango.sardana.names import SCAN_VARIABLE, STREAMS_VARIABLE
from femtotango.sardana.running_scan import channels_of, choose_cameras, streams_from
from femtotango.sardana.status import ScanNote, status_lines
from pipeline.model.cameras import CAMERAS

_POLL = 0.1
_REPORT = 2.0
"""[s]"""


def _stop_scan(device: Any) -> None:
    if device is not None:
        with plain_errors():
            device.command_inout("StopScan")


def _note(macro: Macro) -> ScanNote | None:
    return ScanNote.read(variable(macro.getEnv, SCAN_VARIABLE))


class femto_wait(Macro):
    """Wait until the pipeline has finished the scan, or the sum has a number of frames.

    Ctrl-C while waiting for a scan stops it in the pipeline too, so that the next one can start.
    """

    param_def: ClassVar[Any] = [
        [
            "frames",
            Type.Integer,
            0,
            "Wait for this many frames in the sum; default 0: for the end of the scan",
        ],
        ["timeout", Type.Float, 0.0, "Longest wait [s]; default 0: no limit"],
        ["standstill", Type.Float, 30.0, "Longest wait without progress [s]; 0: no limit"],
    ]

    _device: Any = None
    _done = False

    def run(self, frames: int, timeout: float, standstill: float) -> None:
        """Poll the device until the condition is met."""
        start = moved = time.monotonic()
        reported = start
        self._device = device = connect(self.getEnv)
        with plain_errors():
            last = self._progress(device, frames)
            while not self._reached(device, frames):
                self.checkPoint()
                now = time.monotonic()
                progress = self._progress(device, frames)
                if progress != last:
                    last, moved = progress, now
                if now - reported >= _REPORT:
                    reported = now
                    still = f", no progress for {now - moved:.0f} s" * (now - moved >= _REPORT)
                    self.output("%s%s", progress, still)
                if timeout and now - start > timeout:
                    self._give_up(device, f"Not reached after {timeout:g} s")
                if standstill and now - moved > standstill:
                    self._give_up(device, f"No progress for {standstill:g} s ({progress})")
                time.sleep(_POLL)
            self._done = True
            count = device.read_attribute("FrameCount").value or 0
            self.output("%d frame%s in the image", count, "s" * (count != 1))

    def _progress(self, device: Any, frames: int) -> str:
        if frames > 0:
            return f"{device.read_attribute('FrameCount').value or 0} of {frames} frames"
        names = ["EventsProcessed", "EventsTotal", "ScanFrames"]
        done, total, seen = (a.value or 0 for a in device.read_attributes(names))
        return f"{seen} frames, {done} of {total} events"

    def _give_up(self, device: Any, why: str) -> None:
        self._done = True
        raise FemtomaxError(
            f"{why}. The next scan gives up what is outstanding. "
            f"The device: {device.command_inout('Status')}"
        )

    def _reached(self, device: Any, frames: int) -> bool:
        if frames > 0:
            return (device.read_attribute("FrameCount").value or 0) >= frames
        # Before the first scan there is nothing to wait for.
        number = device.read_attribute("ScanNumber").value
        return not number or bool(device.read_attribute("ScanFinished").value)

    def on_abort(self) -> None:
        """Stop the scan in the pipeline too, so that the next one can start."""
        frames = self.getParameters()[0]
        if frames < 1 and not self._done:
            # Ctrl-C may come while the macro still connects.
            _stop_scan(self._device or connect(self.getEnv))


class femto_continuous(Macro):
    """Show frames as they come, without a scan."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "on", "on or off; default: on"],
        [
            "streams",
            [
                ["stream", Type.String, None, "Camera: " + ", ".join(CAMERAS)],
                {"min": 0},
            ],
            None,
            "Cameras; none: those of FemtomaxStreams or of the measurement group",
        ],
    ]

    def run(self, action: str, streams: list[str]) -> None:
        """Start or stop continuous mode."""
        action = choose(action, "on", "off")
        with plain_errors():
            device = connect(self.getEnv)
            if action == "off":
                device.command_inout("StopContinuous")
                self.output("continuous mode off")
                return
            cameras = streams_from(streams) or self._cameras()
            if not cameras:
                raise FemtomaxError(
                    "Which camera? femto_continuous on <stream>, "
                    f"senv {STREAMS_VARIABLE} <stream>, or a measurement group with a camera."
                )
            device.command_inout("StartContinuous", list(cameras))
            self.output("continuous mode on: %s", ", ".join(cameras))

    def _cameras(self) -> tuple[str, ...]:
        name = variable(self.getEnv, "ActiveMntGrp")
        group = self.getMeasurementGroup(name) if name else None
        return choose_cameras(variable(self.getEnv, STREAMS_VARIABLE), channels_of(group))


class femto_status(Macro):
    """Show the status of the analysis: state, scan, image, regions, photons."""

    def run(self) -> None:
        """Print the device's status and its main values."""
        with plain_errors():
            for line in status_lines(connect(self.getEnv), _note(self), time.time()):
                self.output("%s", line)
