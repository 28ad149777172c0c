"""The table of a scan in spock: ROI names as headers, no columns of unused slots.

Files keep the channels' own names, whatever the regions are called.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tango

from femtotango.sardana.point import SLOTS


def analysis_sources(channels: Iterable[str]) -> dict[str, str]:
    """Return the Source of each channel of the analysis.

    Args:
        channels: full names of all channels of a measurement group.
    """
    sources: dict[str, str] = {}
    for name in channels:
        try:
            proxy: Any = tango.DeviceProxy(name)
            if "Source" in proxy.get_attribute_list():
                sources[name] = str(proxy.read_attribute("Source").value)
        except tango.DevFailed:
            continue  # It may be an attribute and no device; the scan itself says what is away.
    return sources


def headers(sources: Mapping[str, str], slots: Sequence[str]) -> dict[str, str]:
    """Return the header of each column that shows a ROI slot; empty: the slot is not used.

    Args:
        sources: attribute by column.
        slots: name of the ROI in each slot.
    """
    found = {}
    for column, source in sources.items():
        if source.lower() in SLOTS:
            slot, statistic = SLOTS[source.lower()]
            name = slots[slot] if slot < len(slots) else ""
            found[column] = f"{name} {statistic}" if name and statistic != "mean" else name
    return found


def rename_columns(
    recorders: Iterable[Any], sources: Mapping[str, str], slots: Sequence[str]
) -> None:
    """Let the table of a scan that has not begun show ROI names.

    Args:
        recorders: of the scan.
        sources: attribute by column.
        slots: name of the ROI in each slot.
    """
    names = headers(sources, slots)
    for recorder in recorders:
        # Sardana loads the file of its recorders anew, so that the class is not the imported one.
        if type(recorder).__name__ == "OutputRecorder":
            recorder._startRecordList = _with_names(recorder._startRecordList, names)


def _with_names(start: Callable[[Any], None], names: Mapping[str, str]) -> Callable[[Any], None]:
    def renamed(recordlist: Any) -> None:
        start(_Renamed(recordlist, names))

    return renamed


class _Renamed:
    """A record list whose columns have other labels."""

    def __init__(self, recordlist: Any, names: Mapping[str, str]) -> None:
        self._recordlist = recordlist
        self._names = names

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recordlist, name)

    def getEnvironValue(self, name: str) -> Any:
        """Return a value of the scan's environment."""
        value = self._recordlist.getEnvironValue(name)
        return [self._renamed(column) for column in value] if name == "datadesc" else value

    def _renamed(self, column: Any) -> Any:
        label = self._names.get(column.name)
        if label is None:
            return column
        column = column.clone()
        column.label = label
        column.output = bool(label) and getattr(column, "output", True)
        return column
