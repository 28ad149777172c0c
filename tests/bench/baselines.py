"""Workers and reducers to compare with: one that does nothing, one that sends every image."""

import threading
from typing import Any

import numpy as np
from dranspose.middlewares.stream1 import parse

from pipeline.descriptions import describe_parameters


class _Described:
    """Has the project's parameters: a stack is ready when they have reached all services."""

    @staticmethod
    def describe_parameters() -> list[Any]:
        """Return dranspose's description of all parameters."""
        return describe_parameters()


class EmptyWorker(_Described):
    """Takes events and returns nothing: what dranspose itself can carry."""

    def __init__(self, **_: Any) -> None:
        pass

    def process_event(self, event: Any, parameters: Any = None, tick: bool = False) -> None:
        """Return nothing."""


class EmptyReducer:
    """Gets nothing."""

    def __init__(self, **_: Any) -> None:
        self.publish: dict[str, Any] = {}

    def process_result(self, result: Any, parameters: Any = None) -> None:
        """Keep nothing."""


class ImageWorker(_Described):
    """Sends every processed image to the reducer: the obvious way."""

    def __init__(self, **_: Any) -> None:
        pass

    def process_event(self, event: Any, parameters: Any = None, tick: bool = False) -> Any:
        """Return the image with masked pixels at 0."""
        for data in event.streams.values():
            packet = parse(data) if data.typ == "STINS" else None
            if packet is not None and packet.htype == "image":
                return np.where(packet.data < 0, 0, packet.data)
        return None


class ImageReducer:
    """Sums the images that arrive."""

    def __init__(self, **_: Any) -> None:
        self.publish: dict[str, Any] = {"frames": 0}
        self.publish_rlock = threading.RLock()
        self._sum: Any = None

    def process_result(self, result: Any, parameters: Any = None) -> None:
        """Add an image."""
        with self.publish_rlock:
            if self._sum is None:
                self._sum = np.zeros(result.payload.shape, np.float64)
            self._sum += result.payload
            self.publish["frames"] += 1
            self.publish["total"] = (
                float(self._sum.sum()) if self.publish["frames"] % 50 == 0 else 0.0
            )
