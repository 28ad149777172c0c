"""What a worker process keeps until the reducer has it, over scans."""

import itertools
import math
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.dranspose_parameters import parameter_bytes
from pipeline.model.parameters import Settings, settings_from_bytes
from pipeline.protocols.batch import Batch
from pipeline.worker.event import HeldPixels

_FAST = 0.05
"""Events that come closer than this are fast [s]; the machine's own 10 Hz are not."""


@dataclass(eq=False)
class Pending:
    """A batch that may not have reached the reducer."""

    owner: object
    batch: Batch
    returned: bool = False


@dataclass
class WorkerStore:
    """What outlives a scan: dranspose makes a new worker object for each one."""

    boot: str = field(default_factory=lambda: uuid.uuid4().hex)
    lock: threading.Lock = field(default_factory=threading.Lock)
    """A cut-off scan's last call may still run when the next scan's first one comes."""
    sequence: "itertools.count[int]" = field(default_factory=itertools.count)
    pending: list[Pending] = field(default_factory=list)
    pixels: HeldPixels = field(default_factory=HeldPixels)
    handed_out: float = -math.inf
    """Monotonic time of the last return of results [s]."""
    newest: float = -math.inf
    """Monotonic time of the newest event [s]."""
    in_a_row: int = 0
    """Events that came fast one after the other."""
    settings: Settings = field(default_factory=Settings)
    parameter_data: Mapping[str, bytes] = field(default_factory=dict)

    def acknowledge(self, owner: object) -> None:
        """Forget what was delivered: dranspose calls the same object again only after sending."""
        delivered = [p for p in self.pending if p.owner is owner and p.returned]
        for pending in delivered:
            for partial in pending.batch.partials:
                self.pixels.pool.give_back(partial)
        self.pending = [p for p in self.pending if p not in delivered]

    def note_event(self, now: float) -> None:
        """Notice how fast events come; `now` is monotonic [s]."""
        self.in_a_row = self.in_a_row + 1 if now - self.newest < _FAST else 0
        self.newest = now

    def hand_out(self, owner: object, now: float) -> tuple[Batch, ...]:
        """Return all batches that may not have reached the reducer.

        Args:
            owner: the worker object that returns them.
            now: monotonic time [s].
        """
        self.handed_out = now
        for pending in self.pending:
            pending.owner, pending.returned = owner, True
        return tuple(pending.batch for pending in self.pending)

    def update_settings(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Take a snapshot of dranspose's parameters; return what was refused."""
        data = parameter_bytes(parameters)
        if data == self.parameter_data:
            return ()
        self.settings, refused = settings_from_bytes(data, self.settings)
        self.parameter_data = data
        return refused
