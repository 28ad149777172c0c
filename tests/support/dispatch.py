"""Workers and a reducer in one process, with dranspose's ways: order, losses, cut-off scans."""

import json
import pickle
import random
import uuid
from collections import deque
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from pipeline.model.parameters import PARAMETERS, Settings
from pipeline.reducer import FemtomaxReducer
from pipeline.worker import FemtomaxWorker
from pipeline.worker.together import Together


@dataclass
class Stream:
    """Stands for dranspose's StreamData."""

    typ: str
    frames: list[bytes]


def header(filename: str = "", **camera: Any) -> Stream:
    parts = [json.dumps({"htype": "header", "msg_number": 0, "filename": filename}).encode()]
    if camera:
        parts.append(json.dumps(camera).encode())
    return Stream("STINS", parts)


def image(number: int, array: np.ndarray, **changed: Any) -> Stream:
    head = {
        "htype": "image",
        "msg_number": number + 1,
        "frame": number,
        "shape": list(array.shape),
        "type": str(array.dtype),
        "compression": "none",
        **changed,
    }
    return Stream("STINS", [json.dumps(head).encode(), array.tobytes()])


def series_end() -> Stream:
    return Stream("STINS", [json.dumps({"htype": "series_end", "msg_number": 0}).encode()])


def sardana(kind: str, **values: Any) -> Stream:
    return Stream("sardana", [json.dumps({"type": kind, **values}).encode()])


def parameters(settings: Settings) -> dict[str, Any]:
    return {
        name: SimpleNamespace(data=data, value=None) for name, data in settings.to_bytes().items()
    }


class Dispatch:
    """Runs events through workers; results reach the reducer late, in order per worker only."""

    def __init__(
        self, workers: int = 2, seed: int = 0, name: str = "w", together: bool = False
    ) -> None:
        """Make workers and reducer; together: results of frames wait for those of later ones."""
        self._together = together
        self.random = random.Random(seed)
        self.settings = [Settings() for _ in range(workers)]
        self._names = [f"{name}{i}" for i in range(workers)]
        self._contexts: list[dict[str, Any]] = [{} for _ in range(workers)]
        self._reducer_context: dict[str, Any] = {}
        self._queues: list[deque[Any]] = [deque() for _ in range(workers)]
        self._workers: list[FemtomaxWorker] = []
        self.reducer: FemtomaxReducer
        self.event = 0
        self.new_scan()

    def new_scan(self, mapping: str | None = None) -> None:
        """Make new worker and reducer objects, as for a new trigger map."""
        mapping = mapping or str(uuid.uuid4())
        self._workers = [
            FemtomaxWorker(
                parameters={},
                context=context,
                state=SimpleNamespace(name=name, mapping_uuid=mapping),
            )
            for name, context in zip(self._names, self._contexts, strict=True)
        ]
        for worker in self._workers:
            worker.results_may_wait = self._together
            worker._together = Together(many=2)
        self.new_reducer(mapping)
        self.event = 0

    def new_reducer(self, mapping: str) -> None:
        """Make a new reducer object alone, as its process does when it starts in a scan."""
        self.reducer = FemtomaxReducer(
            parameters={},
            context=self._reducer_context,
            state=SimpleNamespace(name="reducer", mapping_uuid=mapping),
        )

    def change(self, **values: Any) -> None:
        """Change settings for all workers at once."""
        for worker in range(len(self._workers)):
            self.change_one(worker, **values)

    def change_one(self, worker: int, **values: Any) -> None:
        """Change settings as one worker sees them: they arrive one after the other."""
        for name, value in values.items():
            assert name in PARAMETERS
            self.settings[worker] = self.settings[worker].replaced(name, value)

    def to_all(self, **streams: Stream) -> None:
        """Send one event to all workers: start, end, flush."""
        for worker in range(len(self._workers)):
            self._process(worker, streams)
        self.event += 1

    def to_one(self, worker: int | None = None, lost: bool = False, **streams: Stream) -> int:
        """Send one event to one worker; lost: the scan is cut off before the result is sent."""
        worker = self.random.randrange(len(self._workers)) if worker is None else worker
        self._process(worker, streams, lost)
        self.event += 1
        return worker

    def _process(self, worker: int, streams: dict[str, Stream], lost: bool = False) -> None:
        event = SimpleNamespace(event_number=self.event, streams=streams)
        payload = self._workers[worker].process_event(event, parameters(self.settings[worker]))
        if not lost and payload is not None:
            self._queues[worker].append(pickle.dumps(payload))

    def deliver(self, at_most: int | None = None) -> None:
        """Let results arrive: any worker first, each worker's in order."""
        while any(self._queues) and (at_most is None or at_most > 0):
            queue = self.random.choice([q for q in self._queues if q])
            payload = pickle.loads(queue.popleft())
            self.reducer.process_result(
                SimpleNamespace(payload=payload, event_number=0, worker="w"),
                parameters(self.settings[0]),
            )
            at_most = None if at_most is None else at_most - 1

    @property
    def published(self) -> dict[str, Any]:
        return self.reducer.publish
