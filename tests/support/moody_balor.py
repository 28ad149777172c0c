"""A Balor that does what cameras do on a bad day, under the watch of the interlock."""

import time
from contextlib import contextmanager
from dataclasses import replace

import tango
from support.waiting import wait_for
from tango.server import attribute

from femtotango.component.raw_data import RawData, Signs
from femtotango.component.scan_progress import Scan
from femtotango.device.balor_monitor import Balor, Seen
from femtotango.simulation.balor_device import BalorSimulator
from pipeline.protocols.packed_datasets import FrameSafety

SCAN = Scan(number=12, mapping="m", cameras=("andor3_balor",), done=False)
GOOD = FrameSafety(process="p", mapping="m", may_drop_raw=1, newest=9)


class MoodyBalor(BalorSimulator):
    """Has no valid SaveRaw, or refuses to have it written, when it is told so."""

    Mood = attribute(dtype=str, access=tango.AttrWriteType.READ_WRITE, fget="get", fset="put")
    SaveRaw = attribute(
        dtype=bool, access=tango.AttrWriteType.READ_WRITE, fget="moody_read", fset="moody_write"
    )
    mood = ""

    def get(self) -> str:
        return self.mood

    def put(self, value: str) -> None:
        self.mood = value

    def moody_read(self):
        valid = self.mood != "invalid"
        quality = tango.AttrQuality.ATTR_VALID if valid else tango.AttrQuality.ATTR_INVALID
        return self._save_raw, time.time(), quality

    def moody_write(self, value: bool) -> None:
        if self.mood == "refuse":
            raise ValueError("The camera is busy.")
        self._save_raw = value


class KnownSigns:
    """Signs of a pipeline that is whatever the test says."""

    def __init__(self) -> None:
        self.show()
        self.closely = False

    def show(self, away: str = "", silent: str = "", **safety: object) -> None:
        self.signs: Signs | None = Signs(replace(GOOD, **safety), 0.0, away, silent)

    def read(self, late: float = 0.0) -> Signs:
        assert self.signs is not None, "nobody thought of that"
        return replace(self.signs, asked=time.monotonic())

    def watch_closely(self, on: bool) -> None:
        self.closely = on

    def start_asking(self) -> None: ...

    def close(self) -> None: ...


class Watched:
    """A Balor under watch, the signs that are given and what is told."""

    def __init__(self, device: str, before: RawData | None = None) -> None:
        self.pipeline = KnownSigns()
        self.scan = SCAN
        self.seen = Seen()
        self.told = 0
        self.kept: list[RawData] = []
        self.balor = Balor(
            device,
            self.pipeline,  # type: ignore[arg-type]
            lambda: self.scan,
            self._tell,
            self.kept.append,
            before,
        )

    def _tell(self, seen: Seen) -> None:
        self.seen = seen
        self.told += 1

    def look(self) -> None:
        """Wait for a look that has begun after this call."""
        wanted = self.told + 2
        wait_for(lambda: self.told >= wanted)


@contextmanager
def watching(device: str, before: RawData | None = None):
    watched = Watched(device, before)
    watched.balor.start()
    try:
        yield watched
    finally:
        watched.balor.close()
