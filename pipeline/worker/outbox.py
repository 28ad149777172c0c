"""Batches are sent again until the reducer has them."""

import itertools
import uuid

from pipeline.protocols.batch import Batch, EventResult


class Outbox:
    """The batches of a worker process that may not have reached the reducer; outlives scans.

    dranspose sends what a worker object returned before it calls that object again, so a second
    call of the same object acknowledges the first. It makes a new object for each scan, which
    sends once more whatever was not acknowledged; the reducer drops what it has seen.
    """

    def __init__(self) -> None:
        self._boot = uuid.uuid4().hex
        self._sequence = itertools.count()
        self._unacknowledged: list[Batch] = []
        self._sender: object = None
        """The worker object that was the last to send them; None: not all were sent."""

    def acknowledge(self, sender: object) -> tuple[Batch, ...]:
        """Forget what was delivered, and return it.

        Args:
            sender: the worker object that is called.
        """
        if sender is not self._sender:
            return ()
        delivered, self._unacknowledged = self._unacknowledged, []
        return tuple(delivered)

    def put(
        self,
        mapping: str,
        worker: str,
        event: int,
        result: EventResult,
        refused: tuple[str, ...] = (),
        passed: tuple[tuple[int, str], ...] = (),
    ) -> None:
        """Make a batch and keep it; it is not sent yet.

        Args:
            mapping: trigger map of the event.
            worker: name of the worker.
            event: number of the event.
            result: what the event gave.
            refused: parameters that could not be read.
            passed: event and stream of messages that are not waited for any more.
        """
        self._unacknowledged.append(
            Batch(
                boot=self._boot,
                sequence=next(self._sequence),
                mapping=mapping,
                worker=worker,
                event=event,
                result=result,
                refused=refused,
                passed=passed,
            )
        )
        self._sender = None

    def send(self, sender: object) -> tuple[Batch, ...]:
        """Return all batches that may not have reached the reducer.

        Args:
            sender: the worker object that returns them to dranspose.
        """
        self._sender = sender
        return tuple(self._unacknowledged)
