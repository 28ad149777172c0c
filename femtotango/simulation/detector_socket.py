"""The sending end of detectors: ZMQ PUSH sockets that ingesters connect to."""

import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

import zmq

from femtotango.stack.errors import PortError, StackError
from pipeline.protocols.stins import Message

_QUEUE = 16
"""Messages that may wait in the socket when the pipeline is slower than the detector."""
_WAIT_MS = 1000


class PushSource:
    """A detector's socket, bound as long as the object is open."""

    def __init__(self, url: str) -> None:
        """Bind the socket.

        Args:
            url: ``tcp://HOST:PORT``, as the ready file of `femtotango up` has it.

        Raises:
            PortError: it cannot be bound.
        """
        self.url = url
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.set_hwm(_QUEUE)
        try:
            self._socket.bind(url)
        except zmq.ZMQError as error:
            self.close(0.0)
            raise PortError(
                f"{url} cannot be bound ({error}): end the detector that has it, or use another."
            ) from error

    def __enter__(self) -> "PushSource":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(0.0 if kind else 30.0)

    def send(
        self,
        messages: Iterable[Message],
        rate: float = 0.0,
        sent: Callable[[int], None] = lambda _: None,
        patience: float = 60.0,
    ) -> int:
        """Send messages in order.

        Args:
            messages: parts of each.
            rate: messages per second; 0: as fast as they are taken.
            sent: told the number of messages sent so far, after each.
            patience: how long one message may wait for an ingester [s].

        Returns:
            Number of messages.

        Raises:
            StackError: nobody takes them.
        """
        start = time.monotonic()
        number = 0
        for message in messages:
            if rate > 0:
                time.sleep(max(0.0, start + number / rate - time.monotonic()))
            self._wait_for_consumer(patience)
            self._socket.send_multipart(message, copy=False)
            number += 1
            sent(number)
        return number

    def _wait_for_consumer(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while not self._socket.poll(_WAIT_MS, zmq.POLLOUT):
            if time.monotonic() > deadline:
                raise StackError(
                    f"No ingester takes messages from {self.url} for {patience:.0f} s: "
                    "is it part of the running stack, and was PrepareScan called?"
                )

    def close(self, linger: float = 30.0) -> None:
        """Close the socket.

        Args:
            linger: how long messages may still go out [s].
        """
        self._context.destroy(linger=int(linger * 1000))


def send_together(
    sources: Mapping[str, PushSource],
    series: Mapping[str, Iterable[Message]],
    rate: float = 0.0,
    sent: Callable[[int], None] = lambda _: None,
) -> None:
    """Send the series of several detectors shot by shot, until one of them has ended.

    Args:
        sources: by stream.
        series: messages of each stream: header, frames, end.
        rate: shots per second; 0: as fast as they are taken.
        sent: told the number of messages that each has sent so far, after each shot.

    Raises:
        StackError: nobody takes them.
    """
    start = time.monotonic()
    for number, shot in enumerate(zip(*series.values(), strict=False)):
        if rate > 0:
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
        for stream, message in zip(series, shot, strict=True):
            sources[stream].send([message])
        sent(number + 1)
