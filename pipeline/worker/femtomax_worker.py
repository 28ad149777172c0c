"""The map step: the class that dranspose's workers run."""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pipeline.dranspose_parameters import describe_parameters
from pipeline.frames import levels, roi_statistics
from pipeline.model.cameras import CAMERAS
from pipeline.photons import detection
from pipeline.protocols.batch import Batch, CameraResult
from pipeline.worker import frame_buffer
from pipeline.worker.event import EventWork
from pipeline.worker.moments import Moments
from pipeline.worker.series import AnySeries, Series
from pipeline.worker.store import WorkerStore
from pipeline.worker.together import Together

CONTEXT = "femtotango"
"""Key of what outlives a scan, in dranspose's context."""
_REPLAY_NAME = "replay-worker-"
"""Under `dranspose replay` only one worker gets the end event: nothing may stay buffered."""


class FemtomaxWorker:
    """dranspose worker of the FemtoMAX pipeline."""

    work: type[EventWork] = EventWork
    """What is done with one event."""
    results_may_wait = False
    """Who runs this object calls `send_results` when `results_due` has come."""

    def __init__(
        self,
        parameters: Mapping[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        state: Any = None,
        **_: Any,
    ) -> None:
        context = {} if context is None else context
        _warm_up()
        self._store: WorkerStore = context.setdefault(CONTEXT, WorkerStore())
        self._name = str(getattr(state, "name", "worker"))
        self._mapping = str(getattr(state, "mapping_uuid", None))
        self._in_replay = self._name.startswith(_REPLAY_NAME)
        self._series = AnySeries() if self._in_replay else Series()
        self._passed: list[tuple[int, str]] = []
        self._late: list[CameraResult] = []
        self._left: set[tuple[int, str]] = set()
        self._together = Together()
        self._moments = Moments()

    @property
    def results_due(self) -> float | None:
        """Monotonic time at which results that wait must be sent [s]; None: none waits."""
        return self._together.due

    def pass_over(self, passed: Iterable[tuple[int, str]]) -> None:
        """Note messages that are not waited for any more: event and stream of each."""
        self._passed += passed

    def begin_without_header(self, stream: str) -> None:
        """Take a camera's frames though its header goes to another worker alone."""
        self._series.begin(stream)

    def leave_frame(self, event: int, stream: str) -> None:
        """Leave a frame of an event that goes to all workers to another one.

        The start and the end of a series are such events. A frame comes there when the camera
        sends more of them than the trigger map announced.
        """
        self._left.add((event, stream))

    def discard(self, event: Any) -> None:
        """Note an event of the trigger map before, which came too late."""
        self._late += [CameraResult(name, late=True) for name in event.streams if name in CAMERAS]

    @staticmethod
    def describe_parameters() -> list[Any]:
        """Return dranspose's description of all parameters."""
        return describe_parameters()

    def may_buffer(self) -> bool:
        """Say whether pixels may wait for a later event of this worker."""
        return not self._in_replay

    def takes_a_moment(self, event: Any, parameters: Mapping[str, Any]) -> bool:
        """Say whether `process_event` takes only a moment: nothing is read, nothing compiled.

        Args:
            event: dranspose's EventData.
            parameters: dranspose's parameters.
        """
        store = self._store
        return (
            self._moments.foresees(event.streams)
            and store.plans.are_sound
            and not store.has_changes(parameters)
        )

    def process_event(
        self, event: Any, parameters: Mapping[str, Any], tick: bool = False
    ) -> tuple[Batch, ...] | None:
        """Process one event.

        Args:
            event: dranspose's EventData.
            parameters: dranspose's parameters.
            tick: not used; dranspose gives it to one worker only.

        Returns:
            The event's batch, behind those that may not have reached the reducer; None: it waits.
        """
        begin = time.monotonic()
        store = self._store
        number = int(event.event_number)
        with store.lock:
            for batch in store.outbox.acknowledge(self):
                for partial in batch.result.partials:
                    store.buffers.give_back(partial)
            refused = store.update_settings(parameters)
            work = self.work(
                number,
                self._mapping,
                store.settings,
                store.buffers,
                self.may_buffer(),
                self._series,
                self._left_in(number),
                store.plans,
            )
            result = work.process(event.streams)
            if self._late:
                result = replace(result, cameras=(*result.cameras, *self._late))
            passed = tuple(self._passed)
            self._passed, self._late = [], []
            store.outbox.put(self._mapping, self._name, number, result, refused, passed)
            plain = result.has_only_frames and not passed and not refused
            end = time.monotonic()
            self._moments.note(event.streams, end - begin, plain)
            may_wait = self.results_may_wait and plain
            if self._together.waits(end, may_wait):
                return None
            return self._send()

    def _left_in(self, number: int) -> frozenset[str]:
        """Return the streams whose frames another worker takes."""
        return frozenset(stream for event, stream in self._left if event == number)

    def send_results(self) -> tuple[Batch, ...]:
        """Return all batches that may not have reached the reducer."""
        with self._store.lock:
            return self._send()

    def _send(self) -> tuple[Batch, ...]:
        self._together.send()
        return self._store.outbox.send(self)


def compile_kernels() -> None:
    """Compile what is done with each frame; half a minute at the very first time on a machine."""
    frame_buffer.warm_up()
    levels.warm_up()
    roi_statistics.warm_up()
    detection.warm_up()


@cache
def _warm_up() -> None:
    """Compile beside the start-up."""
    threading.Thread(target=compile_kernels, name="femtomax-warm-up").start()
