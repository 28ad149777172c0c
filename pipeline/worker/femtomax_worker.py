"""The map step: the class that dranspose's workers run."""

import threading
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from pipeline.dranspose_parameters import describe_parameters
from pipeline.photons import detection
from pipeline.protocols.batch import Batch
from pipeline.protocols.sardana import SARDANA
from pipeline.worker import frame_buffer
from pipeline.worker.event import EventWork
from pipeline.worker.outbox import Pending, WorkerStore

_REPLAY_NAME = "replay-worker-"
"""Under `dranspose replay` one worker only gets the end event: nothing may be held back."""


_TOGETHER = 0.2
"""Results of fast frames are sent together, at most so late, where no record waits for them [s].

It is about as long as pixels are held back, which takes a message of its own anyway.
"""


_MANY = 50
"""So many fast events in a row make a stream of which more is to be expected."""


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
            store.pending.append(Pending(self, batch))
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
