"""What a worker process keeps until the reducer has it, over scans."""

import itertools
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.dranspose_parameters import parameter_bytes
from pipeline.model.parameters import Settings, settings_from_bytes
from pipeline.protocols.batch import Batch
from pipeline.worker.event import HeldPixels


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
    settings: Settings = field(default_factory=Settings)
    parameter_data: Mapping[str, bytes] = field(default_factory=dict)

    def acknowledge(self, owner: object) -> None:
        """Forget what was delivered: dranspose calls the same object again only after sending."""
        delivered = [p for p in self.pending if p.owner is owner and p.returned]
        for pending in delivered:
            for partial in pending.batch.partials:
                self.pixels.pool.give_back(partial)
        self.pending = [p for p in self.pending if p not in delivered]

    def hand_out(self, owner: object) -> tuple[Batch, ...]:
        """Return all batches that may not have reached the reducer.

        Args:
            owner: the worker object that returns them.
        """
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
