"""What is known of the Balor's raw data: permission, losses, and signs of the pipeline."""

import math
import re
from dataclasses import dataclass

from pipeline.protocols.packed_datasets import FrameSafety


@dataclass(frozen=True)
class Signs:
    """What is known of the pipeline at one moment."""

    safety: FrameSafety | None = None
    """The reducer's newest answer, however old; None: it has not answered yet."""
    asked: float = -math.inf
    """When it was asked for that answer, monotonic [s]."""
    away: str = ""
    """Why that answer does not count any more; empty: it does."""
    silent: str = ""
    """Which parts of the pipeline show no life; empty: all do."""


@dataclass(frozen=True)
class Drop:
    """A series of which raw data were not saved, with permission."""

    number: int
    """The device's number of the scan."""
    mapping: str
    """Its trigger map."""
    process: str
    """The reducer that tells of it."""
    first: int
    """The first frame that may lack raw data."""
    raw_off: bool = True
    """False: raw data are saved again, and the last photons are on their way into the file."""
    until: int | None = None
    """Newest frame when a client switched raw saving on again; None: none did."""
    over: float | None = None
    """When the scan's events were found to be done, monotonic [s]; None: they are not."""


@dataclass(frozen=True)
class Loss:
    """What went wrong while raw data were not saved, and the frames that it may have cost."""

    reason: str
    number: int = 0
    """Of the scan; 0: not known."""
    mapping: str = ""
    """Empty: no series of this device was running."""
    process: str = ""
    first: int = 0
    frames: str = ""
    """Have neither raw data nor durable photons: `4-6, 9, 57-`; open as long as it is not known."""
    closed: bool = False
    """The series is over: the frames are final."""

    @property
    def text(self) -> str:
        """What happened, and which frames it cost."""
        if self.frames:
            frames = re.sub("-$", " and all later ones", self.frames)
            cost = f"Frames {frames} of scan {self.number} have neither raw data nor photons."
        elif self.mapping:
            cost = f"No frame of scan {self.number} is lost by it."
        else:
            cost = "Frames of that time may have neither raw data nor photons."
        return f"SaveRaw was switched on: {self.reason} {cost}"


@dataclass(frozen=True)
class RawData:
    """What became of the Balor's raw data; kept from one life of the device to the next."""

    drop: Drop | None = None
    losses: tuple[Loss, ...] = ()
    """Not acknowledged yet."""
    off: bool = False
    """SaveRaw may be false, and that is known."""
    acknowledged: str = ""
    """Trigger map of the newest series when a client acknowledged last."""

    @property
    def unsafe_frames(self) -> str:
        """The frames with neither raw data nor durable photons: `scan 12: 57-; scan 13: 4-6`."""
        return "; ".join(f"scan {x.number}: {x.frames}" for x in self.losses if x.frames)

    @property
    def must_save(self) -> bool:
        """Say whether SaveRaw must be true."""
        return self.drop is None or not self.drop.raw_off
