"""The worker's loop: what it takes, what it sends, what it tells the controller."""

import asyncio
import json
import pickle
import threading
import time
import uuid
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from dranspose.event import EventData, ResultData, StreamData
from dranspose.worker import Worker

from pipeline.worker import dranspose_loop

A, B = "pilatus", "andor3_zyla12"


class Socket:
    """Stands for the socket of an ingester: what comes is under the test's control."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.messages: deque[int] = deque()
        self._polls: list[asyncio.Future[int]] = []

    def poll(self) -> asyncio.Future[int]:
        poll = asyncio.get_running_loop().create_future()
        if self.messages:
            poll.set_result(1)
        self._polls.append(poll)
        return poll

    def bring(self, *events: int) -> None:
        self.messages += events
        for poll in self._polls:
            if not poll.done():
                poll.set_result(1)

    def close(self) -> None:
        for poll in self._polls:
            poll.cancel()


class Analysis:
    """Stands for our worker class."""

    def __init__(self) -> None:
        self.passed: list[tuple[int, str]] = []
        self.discarded: list[int] = []

    def process_event(self, event: EventData, parameters: Any, tick: bool) -> Any:
        return event.event_number, sorted(event.streams)

    def pass_over(self, passed: list[tuple[int, str]]) -> None:
        self.passed += passed

    def discard(self, event: EventData) -> None:
        self.discarded.append(event.event_number)


class Scene:
    """A loop with two cameras, whose sockets, Redis and reducer are the test's."""

    def __init__(self, analysis: Analysis | None = None) -> None:
        self.sockets = {A: Socket(A), B: Socket(B)}
        self.analysis = analysis or Analysis()
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.results: list[Any] = []
        self.told: list[list[int]] = []
        self.worker = SimpleNamespace(
            assignment_queue=self.queue,
            build_event=self._build,
            worker=self.analysis,
            parameters={},
            state=SimpleNamespace(
                name="w1", processed_events=0, parameters_hash=None, mapping_uuid=uuid.uuid4()
            ),
            out_socket=SimpleNamespace(send_multipart=self._send),
            redis=SimpleNamespace(xadd=self._tell),
        )
        self.loop = asyncio.create_task(dranspose_loop._Loop(self.worker).run())

    async def _build(self, sockets: set[Socket]) -> EventData:
        (socket,) = sockets
        number = socket.messages.popleft()
        data = StreamData(typ="STINS", frames=[])
        return EventData(event_number=number, streams={socket.stream: data})  # type: ignore[arg-type, dict-item]

    async def _send(self, parts: list[bytes]) -> None:
        # As dranspose's reducer reads it.
        read = {**json.loads(parts[0]), "payload": pickle.loads(parts[1])}
        self.results.append(ResultData.model_validate(read).payload)

    async def _tell(self, _: str, fields: dict[str, str]) -> None:
        update = json.loads(fields["data"])
        assert len(update["completed"]) == len(update["has_result"])
        self.told.append(update["completed"])

    def assign(self, event: int, *streams: str) -> None:
        self.queue.put_nowait((event, {self.sockets[s]: (s,) for s in streams}))

    async def until(self, results: int) -> None:
        while len(self.results) < results:
            assert not self.loop.done()
            await asyncio.sleep(0.001)

    async def __aenter__(self) -> "Scene":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.loop.cancel()
        await asyncio.gather(self.loop, return_exceptions=True)


def test_an_idle_worker_tells_what_it_has_done() -> None:
    async def run() -> None:
        async with Scene() as scene:
            scene.assign(1, A)
            scene.assign(2, B)
            scene.sockets[A].bring(1)
            await scene.until(1)
            scene.sockets[B].bring(2)
            await scene.until(2)
            while not scene.told:
                await asyncio.sleep(0.001)
            assert scene.results == [(1, [A]), (2, [B])]
            assert scene.told == [[1, 2]]
            assert scene.worker.state.processed_events == 2

    asyncio.run(run())


class Waiting(Analysis):
    """Keeps what it finds until it is asked for."""

    results_may_wait = False
    results_due: float | None = None

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[int] = []

    def process_event(self, event: EventData, parameters: Any, tick: bool) -> Any:
        self.kept.append(event.event_number)
        self.results_due = self.results_due or time.monotonic() + 0.05
        return None

    def send_results(self) -> list[int]:
        self.results_due = None
        sent, self.kept = self.kept, []
        return sent


def test_results_that_wait_are_sent_when_they_are_due_though_nothing_else_comes() -> None:
    async def run() -> None:
        async with Scene(Waiting()) as scene:
            for event in (1, 2):
                scene.assign(event, A)
                scene.sockets[A].bring(event)
            while [event for events in scene.results for event in events] != [1, 2]:
                assert not scene.loop.done()
                await asyncio.sleep(0.001)

    asyncio.run(run())


class Momentary(Analysis):
    """Says of odd events that they take only a moment, and of each where it was processed."""

    def takes_a_moment(self, event: EventData, parameters: Any) -> bool:
        return event.event_number % 2 == 1

    def process_event(self, event: EventData, parameters: Any, tick: bool) -> Any:
        if event.event_number == FAILS:
            raise ValueError("an event that fails")
        return event.event_number, threading.get_ident()


FAILS = 5


def test_what_takes_only_a_moment_needs_no_thread_and_may_fail() -> None:
    async def run() -> None:
        async with Scene(Momentary()) as scene:
            for event in range(1, 9):
                scene.assign(event, A)
                scene.sockets[A].bring(event)
            await scene.until(7)
            here = threading.get_ident()
            assert [event for event, where in scene.results if where == here] == [1, 3, 7]
            assert [event for event, where in scene.results if where != here] == [2, 4, 6, 8]

    asyncio.run(run())


class Sleepy(Momentary):
    """Takes a while for each of many moments."""

    def takes_a_moment(self, event: EventData, parameters: Any) -> bool:
        return True

    def process_event(self, event: EventData, parameters: Any, tick: bool) -> Any:
        time.sleep(0.005)
        return event.event_number


def test_other_tasks_run_though_messages_keep_coming() -> None:
    async def run() -> None:
        async with Scene(Sleepy()) as scene:
            for event in range(1, 101):
                scene.assign(event, A)
            scene.sockets[A].bring(*range(1, 101))
            turns = 0
            while len(scene.results) < 100:
                await asyncio.sleep(0)
                turns += 1
            assert turns >= 5

    asyncio.run(run())


def test_what_does_not_come_is_passed_over_and_taken_when_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        async with Scene() as scene:
            scene.assign(1, A, B)
            scene.assign(2, A)
            scene.assign(3, B)
            scene.sockets[A].bring(1, 2)
            await scene.until(2)
            scene.sockets[B].bring(1, 3)
            await scene.until(4)
            while sum(map(len, scene.told)) < 3:
                await asyncio.sleep(0.001)
            assert sorted(scene.results) == sorted([(1, [A]), (1, [B]), (2, [A]), (3, [B])])
            assert scene.analysis.passed[0] == (1, B)
            # Each event once, though one of them came in two parts.
            assert sorted(event for told in scene.told for event in told) == [1, 2, 3]

    monkeypatch.setattr("pipeline.worker.deliveries.PATIENCE", 0.05)
    asyncio.run(run())


def test_a_message_of_the_trigger_map_before_is_dropped() -> None:
    async def run() -> None:
        async with Scene() as scene:
            scene.assign(0, A)
            scene.sockets[A].bring(57, 0)
            await scene.until(1)
            assert scene.results == [(0, [A])]
            assert scene.analysis.discarded == [57]

    asyncio.run(run())


def test_a_socket_that_is_closed_stops_no_other() -> None:
    async def run() -> None:
        async with Scene() as scene:
            scene.assign(1, A)
            scene.assign(2, B)
            await asyncio.sleep(0.01)
            scene.sockets[B].close()
            scene.sockets[A].bring(1)
            await scene.until(1)
            assert scene.results == [(1, [A])]

    asyncio.run(run())


def test_another_version_of_dranspose_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dranspose_loop, "_KNOWN", "9.9")
    monkeypatch.setattr(Worker, "work", None)
    dranspose_loop.install()
    assert Worker.work is None
    assert "dranspose 0.2.0 is not known" in caplog.text
