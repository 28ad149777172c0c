"""What a worker process keeps over scans."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.dranspose_parameters import Changes, parameter_bytes
from pipeline.model.parameters import Settings, settings_from_bytes
from pipeline.worker.frame_buffers import FrameBuffers
from pipeline.worker.frame_plan import FramePlans
from pipeline.worker.outbox import Outbox


@dataclass
class WorkerStore:
    """Outlives a scan: dranspose makes a new worker object for each one."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    """A cut-off scan's last call may still run when the next scan's first one comes."""
    outbox: Outbox = field(default_factory=Outbox)
    buffers: FrameBuffers = field(default_factory=FrameBuffers)
    plans: FramePlans = field(default_factory=FramePlans)
    settings: Settings = field(default_factory=Settings)
    parameter_data: Mapping[str, bytes] = field(default_factory=dict)
    """What the settings were read from."""
    _changes: Changes = field(default_factory=Changes)

    def has_changes(self, parameters: Mapping[str, Any]) -> bool:
        """Say whether `update_settings` has something to read."""
        return self._changes.there_are(parameters)

    def update_settings(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Take a snapshot of dranspose's parameters; return what was refused."""
        if not self._changes.take(parameters):
            return ()
        data = parameter_bytes(parameters)
        if data == self.parameter_data:
            return ()
        self.settings, refused = settings_from_bytes(data, self.settings)
        self.parameter_data = data
        return refused
