"""What is published of the newest scan: its frames, cameras, motors and records."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.protocols.groups import Group, Rendered, by_name, published, value


@published
class Scan(Group):
    """The newest scan that has begun."""

    mapping: str = value("dranspose's name of the trigger map.", default="")
    number: int = value("Sardana's number, else the scans of this process counted.", default=0)
    title: str = value("Sardana's title.", default="")
    cameras: tuple[str, ...] = value(
        "Cameras of which something has come; the first stands for the scan.", default=()
    )
    filename: str = value("The raw file that the first camera's header names.", default="")
    frames: int = value("Frames of all cameras whose results are in.", default=0)
    processed: int = value("The same, with those that failed.", default=0)
    ended: int = value("1: the end of the scan and everything before it is in.", default=0)
    ended_workers: tuple[str, ...] = value("Workers that have seen the end.", default=())
    series_ended: int = value("1: the series of all its cameras have ended.", default=0)
    movables: Mapping[str, NDArray[np.float64]] | None = by_name(
        "movable", "Positions at each record.", default=None, shape="(step,)"
    )
    columns: Mapping[str, Rendered] | None = by_name(
        "column",
        "Numbers of each record: movables, counters and others; NaN where one is missing.",
        default=None,
        dtype="float64",
        shape="(record,)",
    )
    column_names: tuple[str, ...] = value(
        "Their names as records have them; XSource may name one.", default=()
    )
