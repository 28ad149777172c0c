"""The recorder that sends a scan's records to the pipeline, so that its axis is the motor.

Switch it on with: senv DataRecorder FemtomaxRecorder
"""

import json
import math
import urllib.request
from typing import Any

import numpy as np
import tango
from sardana.macroserver.scan.gscan import ScanEndStatus
from sardana.macroserver.scan.recorder.datarecorder import DataRecorder

from femtotango.sardana.access import connect, plain, variable
from femtotango.sardana.names import INGESTER_VARIABLE, PREPARED

_ANSWER = 2.0
"""A scan must not wait longer than that for the ingester [s]."""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""The ingester is near: what the environment says of web proxies is not for it."""
_LARGEST = 1000
"""Longer arrays than this belong into files [values]."""


class FemtomaxRecorder(DataRecorder):
    """Posts data_desc, record_data and record_end to dranspose's Sardana ingester."""

    def __init__(self, macro: Any = None, **pars: Any) -> None:
        DataRecorder.__init__(self, **pars)
        self._macro = macro
        self._url = ""
        self._device: Any = None

    def _startRecordList(self, recordlist: Any) -> None:
        # A macro that was stopped may not read its environment any more: connect now.
        if getattr(self._macro, PREPARED, False):
            self._device = connect(self._macro.getEnv)
        self._url = variable(self._macro.getEnv, INGESTER_VARIABLE, "")
        if not self._url:
            self._macro.warning(
                "The records do not reach the live analysis: senv %s <address of the ingester>",
                INGESTER_VARIABLE,
            )
            return
        self._post("data_desc", description(recordlist.getEnviron()))

    def _writeRecord(self, record: Any) -> None:
        self._post("record_data", record_data(record.data))

    def _endRecordList(self, recordlist: Any) -> None:
        environment = recordlist.getEnviron()
        end = {
            "type": "RecordEnd",
            "endtime": environment["endtime"].ctime(),
            "deadtime": environment["deadtime"],
        }
        self._post("record_end", json_safe(end))
        if environment.get("endstatus") != ScanEndStatus.Normal:
            self._give_up()

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
            self._url = ""
            self._give_up()

    def _give_up(self) -> None:
        """Let the pipeline go for the next scan; without records this one never ends there."""
        if self._device is None:
            return
        try:
            self._device.command_inout("StopScan")
        except tango.DevFailed as error:
            self._macro.warning("The live analysis could not be stopped: %s", plain(error))


def description(environment: Any) -> dict[str, Any]:
    """Return the DataDescription of a scan.

    Args:
        environment: the scan's environment, a mapping as GScan makes it.
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


def record_data(data: Any) -> dict[str, Any]:
    """Return the RecordData of a point; arrays that are too long are left out."""
    record = {name: value for name, value in data.items() if np.size(value) <= _LARGEST}
    timestamp = record.get("timestamp")
    return json_safe({"type": "RecordData", **record, "timestamp": timestamp or 0.0})


def json_safe(value: Any) -> Any:
    """Return a value that JSON can carry: no NumPy types, no NaN, no objects."""
    if isinstance(value, dict):
        return {str(name): json_safe(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return json_safe(value.tolist())
    if isinstance(value, list | tuple):
        return [json_safe(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)
