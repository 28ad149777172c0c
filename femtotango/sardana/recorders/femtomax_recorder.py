"""The recorder that sends the records of a scan to the pipeline, so that curves have a motor axis.

Switch it on with: senv DataRecorder FemtomaxRecorder
"""

import json
import math
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tango
from sardana.macroserver.scan.gscan import ScanEndStatus
from sardana.macroserver.scan.recorder.datarecorder import DataRecorder

from femtotango.sardana.access import (
    COMMAND_TIMEOUT,
    FemtomaxError,
    connect,
    plain,
    variable,
)
from femtotango.sardana.frame_check import FrameCheck
from femtotango.sardana.names import HOOK, INGESTER_VARIABLE, PREPARED
from femtotango.sardana.running_scan import Prepared
from pipeline.protocols.sardana import FRAME_NUMBERS, VOID_BEFORE

_ANSWER = 2.0
"""The longest that a scan waits for the ingester [s]."""
_DEVICE_ANSWER = 3_000
"""[ms]"""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the web proxies of the environment: the ingester is on the local network."""
_LARGEST = 1000
"""Arrays with more values than this belong in files."""


class FemtomaxRecorder(DataRecorder):
    """Post data_desc, record_data and record_end to dranspose's Sardana ingester.

    It also compares the frames that came with those requested, and warns.
    """

    def __init__(self, macro: Any = None, **pars: Any) -> None:
        DataRecorder.__init__(self, **pars)
        self._macro = macro
        self._url = ""
        self._device: Any = None
        self._check: FrameCheck | None = None
        self._prepared: Prepared | None = None
        self._points = 0

    def _startRecordList(self, recordlist: Any) -> None:
        if hasattr(self._macro, PREPARED):
            self._prepared = getattr(self._macro, PREPARED)
            if self._prepared is None:
                return
        # After a stop the macro can no longer read its environment, so connect now.
        try:
            self._device = connect(self._macro.getEnv)
        except FemtomaxError as error:
            self._macro.warning("The frames of this scan are not checked: %s", error)
        if self._prepared is None:
            self._warn_of_unprepared()
        else:
            self._check = FrameCheck(self._prepared)
        self._url = variable(self._macro.getEnv, INGESTER_VARIABLE, "")
        if not self._url:
            self._macro.warning(
                "The live analysis gets no records: senv %s <address of the ingester>",
                INGESTER_VARIABLE,
            )
            return
        self._post("data_desc", description(recordlist.getEnviron()))

    def _warn_of_unprepared(self) -> None:
        """Warn when neither our hook nor another client has prepared the pipeline."""
        hooks = variable(self._macro.getEnv, "_GeneralHooks", ())
        ours = any(str(hook[0]).split()[0] == HOOK for hook in hooks)
        progress = self._progress()
        if not ours and progress is not None and progress.running:
            return
        why = (
            f"{self._macro.getName()} has hooks of its own that replace the general ones; it "
            "should add them with appendHook"
            if ours
            else f"install the hook with defgh {HOOK} pre-scan pre-acq"
        )
        self._macro.warning("This scan was not prepared for the live analysis: %s.", why)
        # A scan that was prepared here is the device's business; nobody else's may be stopped.
        self._device = None

    def _writeRecord(self, record: Any) -> None:
        point = int(record.data.get("point_nb", self._points))
        self._points += 1
        numbers = None
        excess = self._check is not None and self._judge(self._check, point)
        # It is gone when the scan was lost just now.
        if self._check is not None and self._prepared is not None:
            missed = any(is_missing(record.data.get(name)) for name in self._prepared.cameras)
            numbers = self._check.frame_numbers(point, missed)
            if numbers is None:
                # The next frames take the events of this point, so the next record does too.
                return
        self._post("record_data", record_data(record.data, numbers, void_before=excess))

    def _judge(self, check: FrameCheck, point: int) -> bool:
        """Warn of frames that are missing or too many; True when there are too many now."""
        progress = self._progress()
        if progress is None:
            return False
        verdict = check.after_point(point, progress.frames, progress.received)
        if verdict.lost:
            self._macro.warning(
                "The live analysis has lost this scan: %s. The scan goes on without it, its "
                "channels give NaN. The device: %s",
                *(verdict.warning, progress.status),
            )
            self._leave()
        elif verdict.warning:
            self._macro.warning(verdict.warning)
        return verdict.excess

    def _progress(self) -> "Progress | None":
        """Ask the device; warn once when it does not answer."""
        if self._device is None:
            return None
        try:
            self._device.set_timeout_millis(_DEVICE_ANSWER)
            names = ["Cameras", "CameraFrames", "FramesReceived", "ScanFinished"]
            answers = (a.value for a in self._device.read_attributes(names))
            cameras, frames, received, finished = answers
            status = str(self._device.status()).splitlines()[0]
        except tango.DevFailed as error:
            self._macro.warning(
                "The live analysis does not answer any more: the scan goes on without it, its "
                "channels give NaN. %s",
                plain(error),
            )
            self._device, self._url, self._check = None, "", None
            return None
        counts = [] if frames is None else map(int, frames)
        of_cameras = {str(c): n for c, n in zip(cameras or (), counts, strict=False)}
        return Progress(of_cameras, int(received or 0), finished is False, status)

    def _endRecordList(self, recordlist: Any) -> None:
        environment = recordlist.getEnviron()
        end = {
            "type": "RecordEnd",
            "endtime": environment["endtime"].ctime(),
            "deadtime": environment["deadtime"],
        }
        self._post("record_end", json_safe(end))
        if environment.get("endstatus") != ScanEndStatus.Normal:
            self._stop_analysis()
        elif self._check is not None:
            missing = self._check.at_the_end(self._points)
            if missing:
                self._macro.warning(missing)

    def _post(self, path: str, data: dict[str, Any]) -> None:
        if not self._url:
            return
        request = urllib.request.Request(
            f"{self._url.rstrip('/')}/v1/{path}",
            json.dumps(data).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            _DIRECT.open(request, timeout=_ANSWER).close()
        except (OSError, ValueError) as error:
            self._macro.warning(
                "%s %s does not take the records (%s): the scan goes on without live analysis. "
                "Start the pipeline or correct the address.",
                INGESTER_VARIABLE,
                self._url,
                getattr(error, "reason", error),
            )
            self._leave()

    def _leave(self) -> None:
        """Let the scan go on without the analysis; its channels wait no longer."""
        self._url, self._check = "", None
        self._stop_analysis()

    def _stop_analysis(self) -> None:
        """Stop the scan in the pipeline: without the rest of its records it would never end."""
        if self._device is None or self._prepared is None:
            return
        try:
            self._device.set_timeout_millis(COMMAND_TIMEOUT)
            self._device.command_inout("StopScan")
        except tango.DevFailed as error:
            self._macro.warning("The live analysis could not be stopped: %s", plain(error))


@dataclass(frozen=True)
class Progress:
    """How far the analysis is."""

    frames: Mapping[str, int]
    """Processed frames of the scan, by camera."""
    received: int
    """Frames of all cameras and scans."""
    running: bool
    status: str
    """First line of the device's Status."""


def description(environment: Any) -> dict[str, Any]:
    """Return the DataDescription of a scan.

    Args:
        environment: the scan's environment, a dict made by GScan.
    """
    columns = [column for column in environment["datadesc"] if not len(column.shape)]
    return json_safe(
        {
            "type": "DataDescription",
            "serialno": int(environment["serialno"]),
            "scandir": environment["ScanDir"] or "",
            "title": environment["title"],
            "column_desc": [column.toDict() for column in columns],
            "ref_moveables": environment["ref_moveables"],
            "estimatedtime": environment["estimatedtime"],
            "total_scan_intervals": environment["total_scan_intervals"],
            "starttime": environment["starttime"].ctime(),
            "counters": environment["counters"],
            "scanfile": environment["ScanFile"] or [],
        }
    )


def record_data(
    data: Any, numbers: tuple[int, int] | None = None, void_before: bool = False
) -> dict[str, Any]:
    """Return the RecordData of a point; long arrays are left out.

    Args:
        data: value by column.
        numbers: first number of the point's frames and the one after the last; None: not known.
        void_before: the frames of the point before cannot be told either.
    """
    record = {name: value for name, value in data.items() if np.size(value) <= _LARGEST}
    if numbers is not None:
        record[FRAME_NUMBERS] = list(numbers)
    if void_before:
        record[VOID_BEFORE] = True
    timestamp = record.get("timestamp")
    return json_safe({"type": "RecordData", **record, "timestamp": timestamp or 0.0})


def is_missing(value: Any) -> bool:
    """Say whether a column has no value: Sardana writes NaN for a missed trigger."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def json_safe(value: Any) -> Any:
    """Return the value in a form that JSON can carry: no NumPy types, no NaN, no objects."""
    if isinstance(value, dict):
        return {str(name): json_safe(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return json_safe(value.tolist())
    if isinstance(value, list | tuple):
        return [json_safe(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)
