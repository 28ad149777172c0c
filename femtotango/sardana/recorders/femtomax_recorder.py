"""The recorder that sends the records of a scan to the pipeline, so that curves have a motor axis.

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
"""The longest that a scan waits for the ingester [s]."""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the web proxies of the environment: the ingester is on the local network."""
_LARGEST = 1000
"""Arrays with more values than this belong in files."""


class FemtomaxRecorder(DataRecorder):
    """Post data_desc, record_data and record_end to dranspose's Sardana ingester."""

    def __init__(self, macro: Any = None, **pars: Any) -> None:
        DataRecorder.__init__(self, **pars)
        self._macro = macro
        self._url = ""
        self._device: Any = None

    def _startRecordList(self, recordlist: Any) -> None:
        # After a stop the macro can no longer read its environment, so connect now.
        if getattr(self._macro, PREPARED, False):
            self._device = connect(self._macro.getEnv)
        self._url = variable(self._macro.getEnv, INGESTER_VARIABLE, "")
        if not self._url:
            self._macro.warning(
                "The live analysis gets no records: senv %s <address of the ingester>",
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
            self._stop_analysis()

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
            self._stop_analysis()

    def _stop_analysis(self) -> None:
        """Stop the scan in the pipeline: without the rest of its records it would never end."""
        if self._device is None:
            return
        try:
            self._device.command_inout("StopScan")
        except tango.DevFailed as error:
            self._macro.warning("The live analysis could not be stopped: %s", plain(error))


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


def record_data(data: Any) -> dict[str, Any]:
    """Return the RecordData of a point; long arrays are left out."""
    record = {name: value for name, value in data.items() if np.size(value) <= _LARGEST}
    timestamp = record.get("timestamp")
    return json_safe({"type": "RecordData", **record, "timestamp": timestamp or 0.0})


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
