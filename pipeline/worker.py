"""The map step: the class that dranspose's workers run."""

import itertools
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pipeline import held, photons
from pipeline.descriptions import describe_parameters, parameter_bytes
from pipeline.event_work import EventWork, HeldPixels
from pipeline.parameters import Settings, settings_from_bytes
from pipeline.results import Batch

_REPLAY_NAME = "replay-worker-"
"""Under `dranspose replay` one worker only gets the end event: nothing may be held back."""


@dataclass
class _Pending:
    """A batch that may not have reached the reducer."""

    owner: object
    batch: Batch


@dataclass
class WorkerStore:
    """What outlives a scan: dranspose makes a new worker object for each one."""

    boot: str = field(default_factory=lambda: uuid.uuid4().hex)
    lock: threading.Lock = field(default_factory=threading.Lock)
    """A cut-off scan's last call may still run when the next scan's first one comes."""
    sequence: "itertools.count[int]" = field(default_factory=itertools.count)
    pending: list[_Pending] = field(default_factory=list)
    pixels: HeldPixels = field(default_factory=HeldPixels)
    settings: Settings = field(default_factory=Settings)
    parameter_data: Mapping[str, bytes] = field(default_factory=dict)

    def acknowledge(self, owner: object) -> None:
        """Forget what was delivered: dranspose calls the same object again only after sending."""
        for pending in self.pending:
            if pending.owner is owner:
                for partial in pending.batch.partials:
                    self.pixels.pool.give_back(partial)
        self.pending = [p for p in self.pending if p.owner is not owner]

    def update_settings(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Take a snapshot of dranspose's parameters; return what was refused."""
        data = parameter_bytes(parameters)
        if data == self.parameter_data:
            return ()
        self.settings, refused = settings_from_bytes(data, self.settings)
        self.parameter_data = data
        return refused


class FemtomaxWorker:
    """dranspose worker of the FemtoMAX pipeline."""

    def __init__(
        self,
        parameters: Mapping[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        state: Any = None,
        **_: Any,
    ) -> None:
        context = {} if context is None else context
        _warm_up()
        self._store: WorkerStore = context.setdefault("femtotango", WorkerStore())
        self._name = str(getattr(state, "name", "worker"))
        self._mapping = str(getattr(state, "mapping_uuid", None))

    @staticmethod
    def describe_parameters() -> list[Any]:
        """Return dranspose's description of all parameters."""
        return describe_parameters()

    def process_event(
        self, event: Any, parameters: Mapping[str, Any], tick: bool = False
    ) -> tuple[Batch, ...]:
        """Process one event.

        Args:
            event: dranspose's EventData.
            parameters: dranspose's parameters.
            tick: not used; dranspose gives it to one worker only.

        Returns:
            The event's batch, behind those of a cut-off scan that may have been lost.
        """
        store = self._store
        number = int(event.event_number)
        with store.lock:
            store.acknowledge(self)
            refused = store.update_settings(parameters)
            hold = not self._name.startswith(_REPLAY_NAME)
            work = EventWork(number, self._mapping, store.settings, store.pixels, hold)
            batch = Batch(
                boot=store.boot,
                sequence=next(store.sequence),
                mapping=self._mapping,
                worker=self._name,
                event=number,
                refused=refused,
                **work.run(event.streams),
            )
            store.pending.append(_Pending(self, batch))
            for pending in store.pending:
                pending.owner = self
            return tuple(pending.batch for pending in store.pending)


@cache
def _warm_up() -> None:
    """Compile the kernels beside the start-up: seconds at the very first time on a machine."""

    def warm_up() -> None:
        held.warm_up()
        photons.warm_up()

    threading.Thread(target=warm_up, name="femtomax-warm-up").start()
