"""Macros around a scan: prepare the pipeline, wait for the results, show the status."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import time
from typing import Any, ClassVar

from sardana.macroserver.macro import Macro, Type

from femtotango.sardana.access import FemtomaxError, choose, connect, plain_errors, variable
from femtotango.sardana.names import (
    BURST_VARIABLE,
    INGESTER_VARIABLE,
    PREPARED,
    RECORDER,
    STREAMS_VARIABLE,
)
from femtotango.sardana.running_scan import (
    ScanRequest,
    burst_of,
    cameras_in,
    points_of,
    streams_from,
)
from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import SARDANA

_STALLED, _LONGEST = 3.0, 10.0
"""The previous scan is stopped after this long without progress, or in total [s]."""
_POLL = 0.1


def _cameras(macro: Macro, group: Any = None) -> tuple[str, ...]:
    """Return the camera streams of the environment, else of the measurement group."""
    named = variable(macro.getEnv, STREAMS_VARIABLE)
    if named:
        return tuple(stream for stream in streams_from(named) if stream in CAMERAS)
    if group is None:
        name = variable(macro.getEnv, "ActiveMntGrp")
        group = macro.getMeasurementGroup(name) if name else None
    if group is None:
        return ()
    return cameras_in(
        (info.name, info.label, info.full_name.split("//")[-1].partition("/")[2])
        for info in group.getChannelsEnabledInfo()
    )


class femto_prepare(Macro):
    """Prepare the pipeline for the running scan; a hook for pre-scan and, for ct, pre-acq.

    Install it once with: defgh femto_prepare pre-scan pre-acq

    Cameras: those of FemtomaxStreams, else those named by an enabled channel of the measurement
    group (pilatus, zyla10, zyla12, balor). Without a camera the scan runs without live analysis.
    Points: those of the scan. Frames per point: those of the scan, else FemtomaxBurst, else 1.
    Records: expected when FemtomaxRecorder is on (senv DataRecorder FemtomaxRecorder) and has an
    address (senv FemtomaxSardanaUrl).
    """

    param_def: ClassVar[Any] = [
        ["burst", Type.Integer, 0, "Frames per point; 0: those of the scan or FemtomaxBurst"],
        ["steps", Type.Integer, 0, "Number of points; 0: those of the running scan"],
    ]

    _device: Any = None

    def run(self, burst: int, steps: int) -> None:
        """Build the request from the running scan and send it."""
        scan = self.getParentMacro()
        if scan is None and steps < 1:
            raise FemtomaxError(
                "No scan is running. Use it as a hook (defgh femto_prepare pre-scan), "
                "or give frames per point and number of points."
            )
        if hasattr(scan, PREPARED):
            return
        request = self._request(scan, burst, steps)
        if request is None:
            self.info("No camera in the measurement group: nothing to prepare in the pipeline.")
        else:
            self._device = connect(self.getEnv)
            with plain_errors():
                self._finish_previous_scan()
                self._device.command_inout("PrepareScan", request.to_json())
            # A stop during the command takes effect here; without this the scan would continue.
            self.checkPoint()
        if scan is not None:
            setattr(scan, PREPARED, request is not None)

    def _request(self, scan: Any, burst: int, steps: int) -> ScanRequest | None:
        general = getattr(scan, "_gScan", None)
        cameras = _cameras(self, None if general is None else general.measurement_group)
        if not cameras:
            return None
        environment = {} if general is None else general.data.getEnviron()
        if "scanstartts" in environment:
            raise FemtomaxError(
                "The scan has started already: put the hook before it, "
                "with defgh femto_prepare pre-scan pre-acq"
            )
        if burst < 1:
            names = [definition[0] for definition in getattr(scan, "param_def", ())]
            values = scan.getParameters() if scan is not None else ()
            given = zip(names, values, strict=False)
            burst = burst_of(scan, given, variable(self.getEnv, BURST_VARIABLE))
        if steps < 1:
            # ct takes one point and writes no records.
            steps = 1 if general is None else points_of(scan, environment)
        recorded = () if general is None and scan is not None else self._recorded()
        return ScanRequest((*cameras, *recorded), steps, burst)

    def _recorded(self) -> tuple[str, ...]:
        recorders = variable(self.getEnv, "DataRecorder", ())
        recorders = (recorders,) if isinstance(recorders, str) else recorders
        sends = RECORDER in recorders and variable(self.getEnv, INGESTER_VARIABLE)
        return (SARDANA,) if sends else ()

    def _finish_previous_scan(self) -> None:
        """Wait for the previous scan to finish; stop one that does not, and continuous mode."""
        assert self._device is not None
        begin = moved = time.monotonic()
        last = None
        while not _finished(self._device):
            self.checkPoint()
            now = time.monotonic()
            events = self._device.read_attribute("EventsProcessed").value
            if events != last:
                last, moved = events, now
            if now - moved > _STALLED or now - begin > _LONGEST:
                self.warning(
                    "The previous scan did not finish: its outstanding frames are given up."
                )
                self._device.command_inout("StopScan")
                return
            time.sleep(_POLL)

    def on_abort(self) -> None:
        """Stop the scan in the pipeline too, so that the next one can start."""
        _stop_scan(self._device)


def _stop_scan(device: Any) -> None:
    if device is not None:
        with plain_errors():
            device.command_inout("StopScan")


def _finished(device: Any) -> bool:
    # Before the first scan there is nothing to wait for.
    number = device.read_attribute("ScanNumber").value
    return not number or bool(device.read_attribute("ScanFinished").value)


class femto_wait(Macro):
    """Wait until the pipeline has finished the scan, or the sum has a number of frames.

    Ctrl-C while waiting for a scan stops it in the pipeline too, so that the next one can start.
    """

    param_def: ClassVar[Any] = [
        [
            "frames",
            Type.Integer,
            0,
            "Wait for this many frames in the sum; 0: for the end of the scan",
        ],
        ["timeout", Type.Float, 0.0, "Longest wait [s]; 0: no limit"],
    ]

    _device: Any = None
    _done = False

    def run(self, frames: int, timeout: float) -> None:
        """Poll the device until the condition is met."""
        start = time.monotonic()
        self._device = device = connect(self.getEnv)
        with plain_errors():
            while not self._reached(device, frames):
                self.checkPoint()
                if timeout and time.monotonic() - start > timeout:
                    status = device.command_inout("Status")
                    raise FemtomaxError(f"Not reached after {timeout:g} s. The device: {status}")
                time.sleep(_POLL)
            self._done = True
            self.output("%d frames in the image", device.read_attribute("FrameCount").value or 0)

    def _reached(self, device: Any, frames: int) -> bool:
        if frames > 0:
            return (device.read_attribute("FrameCount").value or 0) >= frames
        return _finished(device)

    def on_abort(self) -> None:
        """Stop the scan in the pipeline too, so that the next one can start."""
        frames, _ = self.getParameters()
        if frames < 1 and not self._done:
            # Ctrl-C may come while the macro still connects.
            _stop_scan(self._device or connect(self.getEnv))


class femto_continuous(Macro):
    """Show frames as they come, without a scan."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "on", "on or off"],
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
            cameras = streams_from(streams) or _cameras(self)
            if not cameras:
                raise FemtomaxError(
                    "Which camera? femto_continuous on <stream>, "
                    f"senv {STREAMS_VARIABLE} <stream>, or a measurement group with a camera."
                )
            device.command_inout("StartContinuous", list(cameras))
            self.output("continuous mode on: %s", ", ".join(cameras))


class femto_status(Macro):
    """Show the status of the analysis: state, scan, image, regions, photons."""

    def run(self) -> None:
        """Print the device's status and its main values."""
        with plain_errors():
            device = connect(self.getEnv)
            self.output("%s: %s", device.command_inout("State"), device.command_inout("Status"))
            for label, names in _STATUS.items():
                values = [_text(attribute.value) for attribute in device.read_attributes(names)]
                pairs = ", ".join(f"{n} {v}" for n, v in zip(names, values, strict=True))
                self.output("%-13s %s", label, pairs)


_STATUS = {
    "image": ["Detector", "Accumulate", "FrameCount", "ImageSum", "ImageMax", "ImageUnit"],
    "scan": ["ScanNumber", "ScanTitle", "ScanFinished", "EventsProcessed", "EventsTotal"],
    "frames": ["FrameRate", "LastFrameAge", "FailedFrames", "LastError"],
    "regions": ["RoiNames", "RoiMeans"],
    "photons": ["PhotonCount", "PileupFraction", "SkippedFrames", "Trusted", "TrustReason"],
}


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str | bool | int):
        return str(value) or "-"
    return " ".join(_text(item) for item in list(value)) or "-"
