"""dranspose's worker loop, changed so that what does not come holds up nothing else.

Decision 11 says why. Only what belongs to waiting is different from dranspose 0.2.0: an event is
processed when its turn has come (`pipeline.worker.deliveries`), not when all of it is there, and
without a thread when its class says that it takes only a moment (`pipeline.worker.moments`).
"""

import asyncio
import json
import logging
import pickle
import time
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from dranspose.event import EventData
from dranspose.protocol import (
    DistributedStateEnum,
    EventNumber,
    RedisKeys,
    WorkAssignmentList,
    WorkerUpdate,
)
from dranspose.worker import Worker
from redis.exceptions import ConnectionError as RedisConnectionError

from pipeline.worker.deliveries import Deliveries, Delivery
from pipeline.worker.event_times import Times

logger = logging.getLogger(__name__)

_KNOWN = "0.2.0"
"""The version of dranspose whose loop this is."""
_UPDATE = 1.0
"""A busy worker tells the controller at least so often what it has done [s]."""
_REST = 0.05
"""Other tasks can run at least so often [s]."""


def install() -> None:
    """Change dranspose's worker in this process; say so when its version is not known."""
    if version("dranspose") != _KNOWN:
        logger.warning(
            "dranspose %s is not known: a camera that stops in a scan stops the others too. "
            "Install dranspose %s.",
            version("dranspose"),
            _KNOWN,
        )
        return
    Worker.manage_assignments = _manage_assignments
    Worker.work = _work


async def _manage_assignments(self: Any) -> None:
    """Queue the events of this worker, each with the sockets that bring its messages."""
    assigned = RedisKeys.assigned(self.state.mapping_uuid)
    last: Any = 0
    known: set[str] = set()
    while True:
        try:
            found = await self.redis.xread({assigned: last}, block=1000, count=1)
        except RedisConnectionError:
            return
        if assigned not in found:
            continue
        entry = found[assigned][0][0]
        for event in WorkAssignmentList.validate_json(entry[1]["data"]):
            sources: dict[Any, tuple[str, ...]] = {}
            for stream, workers in event.assignments.items():
                if stream not in known:
                    known.add(stream)
                    _tell_of_first(self, stream, self.state.name in workers)
                if self.state.name not in workers:
                    continue
                if self.state.name != min(workers):
                    _tell_of_others(self, int(event.event_number), stream)
                socket = self._stream_map.get(stream)
                if socket is None:
                    logger.error("no ingester of %s is connected", stream)
                    continue
                sources[socket] = (*sources.get(socket, ()), str(stream))
            if sources:
                await self.assignment_queue.put((int(event.event_number), sources))
        last = entry[0]


def _tell_of_first(worker: Any, stream: str, comes_here: bool) -> None:
    """Tell our class that a stream's first message, a camera's header, goes to other workers."""
    if not comes_here and hasattr(worker.worker, "begin_without_header"):
        worker.worker.begin_without_header(stream)


def _tell_of_others(worker: Any, event: int, stream: str) -> None:
    """Tell our class that another worker gets a stream's message too, and takes its frame."""
    if hasattr(worker.worker, "leave_frame"):
        worker.worker.leave_frame(event, stream)


class _Loop:
    """One trigger map in one worker."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._deliveries: Deliveries[Any] = Deliveries()
        self._polls: dict[Any, asyncio.Future[Any]] = {}
        """By socket, the wait for its next message."""
        self._come: dict[Any, EventData] = {}
        """By socket, a message that has come."""
        self._heard: set[Any] = set()
        """Sockets that have brought a message of this trigger map."""
        self._closed: set[Any] = set()
        self._done: dict[int, bool] = {}
        """Events that the controller has not been told of, and whether they gave a result."""
        self._times = Times()
        self._told = time.monotonic()
        self._newest = 0
        """Event that was processed last."""
        self._rested = time.monotonic()
        """When other tasks could run last, at least."""

    async def run(self) -> None:
        """Process events until the task is cancelled."""
        queue = self._worker.assignment_queue
        queued = asyncio.create_task(queue.get())
        try:
            while True:
                self._worker.dequeue_task = queued
                if queued.done():
                    self._assign(queued.result())
                    while not queue.empty():
                        self._assign(queue.get_nowait())
                    queued = asyncio.create_task(queue.get())
                begin = time.perf_counter()
                await self._receive()
                delivery = self._deliveries.take(self._come.keys(), time.monotonic())
                self._note_passed()
                if delivery is not None:
                    await self._process(delivery, begin)
                await self._send_due()
                idle = self._deliveries.idle and queue.empty() and not queued.done()
                if self._done and (idle or time.monotonic() - self._told > _UPDATE):
                    await self._tell()
                if delivery is None:
                    await self._wait(queued)
        finally:
            for waits in (queued, *self._polls.values()):
                waits.cancel()

    def _assign(self, assigned: tuple[int, dict[Any, tuple[str, ...]]]) -> None:
        self._deliveries.assign(*assigned, time.monotonic())

    async def _receive(self) -> None:
        """Receive the next message of each socket that has one."""
        for socket in self._deliveries.wanted - self._polls.keys() - self._come.keys():
            if socket not in self._closed:
                self._polls[socket] = asyncio.ensure_future(socket.poll())
        for socket in [socket for socket, poll in self._polls.items() if poll.done()]:
            poll = self._polls.pop(socket)
            if poll.cancelled() or poll.exception() is not None:
                # Its ingester has gone; the others go on.
                self._closed.add(socket)
                continue
            message = await self._worker.build_event({socket})
            if socket in self._heard or self._is_of_this_map(socket, message):
                self._heard.add(socket)
                self._come[socket] = message
            else:
                self._polls[socket] = asyncio.ensure_future(socket.poll())

    def _is_of_this_map(self, socket: Any, message: EventData) -> bool:
        """Say whether a socket's first message belongs here: an ingester may be behind the map."""
        expected = self._deliveries.next_event(socket)
        if message.event_number == expected:
            return True
        logger.warning(
            "event %d of the trigger map before came late; event %s is next",
            message.event_number,
            expected,
        )
        if hasattr(self._worker.worker, "discard"):
            self._worker.worker.discard(message)
        return False

    async def _wait(self, queued: asyncio.Task[Any]) -> None:
        times = [t for t in (self._deliveries.wake_at, self._results_due) if t is not None]
        timeout = max(0.0, min(times) - time.monotonic()) if times else None
        await asyncio.wait(
            [queued, *self._polls.values()],
            timeout=timeout,
            return_when=asyncio.FIRST_COMPLETED,
        )

    async def _process(self, delivery: Delivery[Any], begin: float) -> None:
        event, *others = (self._come.pop(socket) for socket in delivery.sources)
        for other in others:
            event.streams.update(other.streams)
        received = time.perf_counter()
        result = await self._call(event)
        processed = time.perf_counter()
        self._newest = int(event.event_number)
        if result is not None:
            await self._send(self._newest, result)
        self._worker.state.processed_events += 1
        if delivery.first:
            self._done[delivery.event] = result is not None
        self._count(begin, received, processed)

    async def _call(self, event: EventData) -> Any:
        work = self._worker.worker
        if work is None:
            return None
        arguments = event, self._worker.parameters, False
        try:
            await self._let_others_run()
            if hasattr(work, "takes_a_moment") and work.takes_a_moment(*arguments[:2]):
                return work.process_event(*arguments)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, work.process_event, *arguments)
        except Exception:
            logger.exception("event %d failed", event.event_number)
            return None

    async def _let_others_run(self) -> None:
        """Let dranspose's other tasks run: with messages that have come, nothing else waits."""
        now = time.monotonic()
        if now - self._rested > _REST:
            self._rested = now
            await asyncio.sleep(0)

    @property
    def _results_due(self) -> float | None:
        """When results that wait in our class must be sent; None: none waits."""
        return getattr(self._worker.worker, "results_due", None)

    async def _send_due(self) -> None:
        """Send the results that have waited for those of later events as long as they may."""
        due = self._results_due
        if due is not None and time.monotonic() >= due:
            await self._send(self._newest, self._worker.worker.send_results())

    async def _send(self, event: int, result: Any) -> None:
        socket = self._worker.out_socket
        if socket is None:
            return
        # What dranspose's `ResultData` writes without its payload, in a tenth of the time.
        header = json.dumps(
            {
                "event_number": event,
                "worker": self._worker.state.name,
                "parameters_hash": self._worker.state.parameters_hash,
            }
        ).encode()
        try:
            await socket.send_multipart([header, pickle.dumps(result)])
        except Exception:
            logger.exception("the result of event %d was not sent", event)

    def _note_passed(self) -> None:
        """Tell the worker what it does not wait for, and note it as done for the controller."""
        passed, self._deliveries.passed = self._deliveries.passed, []
        if passed and hasattr(self._worker.worker, "pass_over"):
            self._worker.worker.pass_over(passed)
        for event in self._deliveries.given_up:
            self._done[event] = False
        self._deliveries.given_up.clear()

    def _count(self, begin: float, received: float, processed: float) -> None:
        self._times.add(received - begin, processed - received, time.perf_counter() - processed)

    async def _tell(self) -> None:
        """Tell the controller what is done: an idle worker gets more to do."""
        # The controller takes the last one as the place up to which this worker has come.
        done, self._done = sorted(self._done.items()), {}
        update = WorkerUpdate(
            state=DistributedStateEnum.IDLE,
            completed=[EventNumber(event) for event, _ in done],
            has_result=[has_result for _, has_result in done],
            worker=self._worker.state.name,
            processing_times=self._times.as_dranspose(),
        )
        self._times, self._told = Times(), time.monotonic()
        await self._worker.redis.xadd(
            RedisKeys.ready(self._worker.state.mapping_uuid), {"data": update.model_dump_json()}
        )


async def _work(self: Any) -> None:
    """Process the events of one trigger map, as dranspose's `Worker.work` does."""
    self.worker = None
    if self.custom:
        try:
            self.worker = self.custom(
                parameters=self.parameters, context=self.custom_context, state=self.state
            )
        except Exception:
            logger.exception("the worker class cannot be used")
    if self.worker is not None and hasattr(self.worker, "results_may_wait"):
        self.worker.results_may_wait = True
    await self.notify_worker_ready()
    with suppress(asyncio.CancelledError):
        await _Loop(self).run()
