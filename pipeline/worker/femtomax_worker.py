"""The map step: the class that dranspose's workers run."""

import itertools
import math
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pipeline.dranspose_parameters import describe_parameters, parameter_bytes
from pipeline.model.parameters import Settings, settings_from_bytes
from pipeline.photons import detection
from pipeline.protocols.batch import SARDANA, Batch
from pipeline.worker import frame_buffer
from pipeline.worker.event import EventWork, HeldPixels

_REPLAY_NAME = "replay-worker-"
"""Under `dranspose replay` one worker only gets the end event: nothing may be held back."""


_TOGETHER = 0.2
"""Results of fast frames are sent together, at most so late, where no record waits for them [s].

It is about as long as pixels are held back, which takes a message of its own anyway.
"""

_FAST = 0.05
"""Events that come closer than this are fast [s]; the machine's own 10 Hz are not."""

_MANY = 50
"""So many fast events in a row make a stream of which more is to be expected."""


@dataclass(eq=False)
class _Pending:
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
    pending: list[_Pending] = field(default_factory=list)
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


class FemtomaxWorker:
    """dranspose worker of the FemtoMAX pipeline."""

    work: type[EventWork] = EventWork
    """What is done with one event."""

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
        self._holds_results = False

    @staticmethod
    def describe_parameters() -> list[Any]:
        """Return dranspose's description of all parameters."""
        return describe_parameters()

    def process_event(
        self, event: Any, parameters: Mapping[str, Any], tick: bool = False
    ) -> tuple[Batch, ...] | None:
        """Process one event.

        Args:
            event: dranspose's EventData.
            parameters: dranspose's parameters.
            tick: not used; dranspose gives it to one worker only.

        Returns:
            The event's batch, behind those that have not reached the reducer yet; None while
            results of fast frames are held back to be sent together.
        """
        store = self._store
        number = int(event.event_number)
        with store.lock:
            store.acknowledge(self)
            refused = store.update_settings(parameters)
            hold = not self._name.startswith(_REPLAY_NAME)
            work = self.work(number, self._mapping, store.settings, store.pixels, hold)
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
            now = time.monotonic()
            if batch.start is not None:
                # With records a client may wait for each frame; without, only for the end.
                self._holds_results = hold and SARDANA not in batch.streams
            store.note_event(now)
            fast = store.in_a_row >= _MANY and now - store.handed_out < _TOGETHER
            # Trust in photons must not wait for the next frame.
            plain = batch.frame is not None and batch.frame.photons is None
            if self._holds_results and fast and plain and not batch.partials:
                return None
            return store.hand_out(self, now)


@cache
def _warm_up() -> None:
    """Compile the kernels beside the start-up: seconds at the very first time on a machine."""

    def warm_up() -> None:
        frame_buffer.warm_up()
        detection.warm_up()

    threading.Thread(target=warm_up, name="femtomax-warm-up").start()
