"""How long the events of a worker took, as the controller is told."""

from dataclasses import dataclass

from dranspose.protocol import WorkerTimes


@dataclass
class Times:
    """How long events took since the controller was told [s]."""

    receive: float = 0.0
    process: float = 0.0
    send: float = 0.0
    events: int = 0

    def add(self, receive: float, process: float, send: float) -> None:
        """Add those of one event."""
        self.receive += receive
        self.process += process
        self.send += send
        self.events += 1

    def as_dranspose(self) -> WorkerTimes | None:
        """Return them as dranspose has them; None: there was no event."""
        if not self.events:
            return None
        return WorkerTimes(
            assemble_event=self.receive,
            custom_code=self.process,
            send_result=self.send,
            no_events=self.events,
        )
