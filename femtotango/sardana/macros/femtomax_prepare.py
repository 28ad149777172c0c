"""The hook of scans: prepare the pipeline for the running one; and its switch."""

# Sardana makes the members of Type at run time, and expects run() with other arguments.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import time
from typing import Any, ClassVar

import tango
from sardana.macroserver.macro import Macro, Type
from sardana.macroserver.scan.gscan import CAcquisition

from femtotango.sardana.access import (
    FemtomaxError,
    choose,
    connect,
    plain_errors,
    switched,
    variable,
)
from femtotango.sardana.columns import analysis_sources, rename_columns
from femtotango.sardana.names import (
    BURST_VARIABLE,
    INGESTER_VARIABLE,
    LIVE_VARIABLE,
    PREPARED,
    RECORDER,
    SCAN_VARIABLE,
    STREAMS_VARIABLE,
    STRICT_VARIABLE,
)
from femtotango.sardana.running_scan import (
    Channel,
    Prepared,
    ScanRequest,
    burst_of,
    cameras_in,
    channels_of,
    choose_cameras,
    points_of,
    summary,
)
from pipeline.protocols.sardana import SARDANA

_STALLED, _LONGEST = 3.0, 10.0
"""The previous scan is stopped after this long without progress, or in total [s]."""
_AWAY = 3.0
"""A pipeline that does not answer for so long is away [s]."""
_POLL = 0.1


class femto_prepare(Macro):
    """Prepare the pipeline for the running scan; a hook for pre-scan and, for ct, pre-acq.

    Install it once with: defgh femto_prepare pre-scan pre-acq

    Cameras: those of FemtomaxStreams, else those named by an enabled channel of the measurement
    group (pilatus, zyla10, zyla12, balor). Without a camera the scan runs without live analysis.
    Points: those of the scan. Frames per point: those of the scan, else FemtomaxBurst, else 1.
    A burstscan has minus its frames per point as integ_time.
    Records: expected when FemtomaxRecorder is on (senv DataRecorder FemtomaxRecorder) and has an
    address (senv FemtomaxSardanaUrl).
    When the analysis cannot follow, the scan runs without it; senv FemtomaxStrict True refuses it.
    """

    param_def: ClassVar[Any] = [
        ["burst", Type.Integer, 0, "Frames per point; default 0: those of the scan, FemtomaxBurst"],
        ["steps", Type.Integer, 0, "Number of points; default 0: those of the running scan"],
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
        prepared = None
        try:
            if switched(self.getEnv, LIVE_VARIABLE, True) or scan is None:
                prepared = self._prepare(scan, burst, steps)
            else:
                self.output("Live analysis is off; femto_live on switches it on again.")
        except FemtomaxError as error:
            if scan is None or switched(self.getEnv, STRICT_VARIABLE, False):
                raise
            self.warning(
                "The scan runs without live analysis, its channels give NaN: %s "
                "(senv %s True refuses such scans, femto_live off asks for them.)",
                *(error, STRICT_VARIABLE),
            )
        if scan is not None:
            setattr(scan, PREPARED, prepared)

    def _prepare(self, scan: Any, burst: int, steps: int) -> Prepared | None:
        general = getattr(scan, "_gScan", None)
        channels = channels_of(self._group(scan, general))
        cameras = choose_cameras(variable(self.getEnv, STREAMS_VARIABLE), channels)
        if not cameras:
            self.info("No camera in the measurement group: nothing to prepare in the pipeline.")
            return None
        request = self._request(scan, general, cameras, burst, steps)
        device = connect(self.getEnv)
        with plain_errors():
            self._await_pipeline(device)
            # From here on a stop of the macro has something to stop.
            self._device = device
            self._end_continuous_mode()
            self._finish_previous_scan()
            self._device.command_inout("PrepareScan", request.to_json())
            self._note_scan(general)
        # A stop during the command takes effect here; without this the scan would continue.
        self.checkPoint()
        self.output(summary(scan, request))
        return self._prepared(general, request, channels)

    def _group(self, scan: Any, general: Any) -> Any:
        if general is not None:
            return general.measurement_group
        name = variable(self.getEnv, "ActiveMntGrp")
        return self.getMeasurementGroup(name) if name else None

    def _request(
        self, scan: Any, general: Any, cameras: tuple[str, ...], burst: int, steps: int
    ) -> ScanRequest:
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

    def _await_pipeline(self, device: Any) -> None:
        """Give a pipeline that has just been restarted a moment.

        Raises:
            FemtomaxError: the device cannot reach it.
        """
        deadline = time.monotonic() + _AWAY
        while device.state() in (tango.DevState.UNKNOWN, tango.DevState.FAULT):
            if time.monotonic() > deadline:
                raise FemtomaxError(f"{device.state()}: {device.status().splitlines()[0]}")
            self.checkPoint()
            time.sleep(_POLL)

    def _end_continuous_mode(self) -> None:
        assert self._device is not None
        if "Continuous mode with" in self._device.status():
            self.info("Continuous mode ends for this scan.")
            self._device.command_inout("StopContinuous")

    def _finish_previous_scan(self) -> None:
        """Wait for the previous scan to finish; stop one that does not."""
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

    def _note_scan(self, general: Any) -> None:
        """Remember what the scan is called here, and what had failed before it."""
        assert self._device is not None
        names = ["ScanNumber", "FailedFrames", "LastError"]
        number, failed, error = (a.value for a in self._device.read_attributes(names))
        serial = None if general is None else general.data.getEnviron()["serialno"]
        note = {"number": number, "serial": serial, "failed": failed or 0, "error": error or ""}
        self.setEnv(SCAN_VARIABLE, note)

    def _prepared(
        self, general: Any, request: ScanRequest, channels: tuple[Channel, ...]
    ) -> Prepared:
        cameras = tuple(
            channel.name
            for channel in channels
            if set(cameras_in([channel.texts])) & set(request.streams)
        )
        with plain_errors():
            slots, received = self._device.read_attributes(["RoiSlots", "FramesReceived"])
        # ct has no table of points.
        sources = {} if general is None else analysis_sources(c.name for c in channels)
        if general is not None:
            names = list(slots.value or ())
            rename_columns(general.data.getDataHandler().recorders, sources, names)
        triggered = isinstance(general, CAcquisition)
        return Prepared(request, cameras, bool(sources), received.value or 0, triggered)

    def on_abort(self) -> None:
        """Stop the scan in the pipeline too, so that the next one can start."""
        if self._device is not None:
            with plain_errors():
                self._device.command_inout("StopScan")


def _finished(device: Any) -> bool:
    # Before the first scan there is nothing to wait for.
    number = device.read_attribute("ScanNumber").value
    return not number or bool(device.read_attribute("ScanFinished").value)


class femto_live(Macro):
    """Let scans run with the live analysis (on) or without (off)."""

    param_def: ClassVar[Any] = [
        ["action", Type.String, "show", "on, off or show; default: show"],
    ]

    def run(self, action: str) -> None:
        """Switch, then show."""
        action = choose(action, "on", "off", "show")
        if action != "show":
            self.setEnv(LIVE_VARIABLE, action == "on")
        live = switched(self.getEnv, LIVE_VARIABLE, True)
        strict = switched(self.getEnv, STRICT_VARIABLE, False)
        if not live:
            self.output("live analysis off: scans run without it")
        elif strict:
            self.output("live analysis on; a scan that it cannot follow is refused")
        else:
            self.output("live analysis on; a scan that it cannot follow runs without it")
