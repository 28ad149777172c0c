"""The ports of one stack: those that the configuration names, and free ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from femtotango.stack.config import StackConfig
from femtotango.stack.launch import LOOPBACK
from femtotango.stack.ports import Ports


@dataclass(frozen=True)
class StackPorts:
    """The ports of a running stack."""

    redis: int
    controller: int
    reducer: int
    """HTTP."""
    reducer_zmq: int
    """Where workers send their results."""
    sardana: int
    tango: int
    streams: Mapping[str, str]
    """Where the detectors bind, by stream."""

    @classmethod
    def choose(cls, config: StackConfig, ports: Ports) -> "StackPorts":
        """Pick all ports.

        Raises:
            PortError: a port that the configuration names is in use, or this machine does not have
                the address where services are to listen.
        """
        ports.check_address(config.bind)

        def port(wanted: int, purpose: str, host: str = config.bind) -> int:
            return ports.fixed(wanted, purpose, host) if wanted else ports.new()

        return cls(
            redis=port(config.ports.redis, "Redis", LOOPBACK),
            controller=port(config.ports.controller, "the controller"),
            reducer=port(config.ports.reducer, "the reducer"),
            reducer_zmq=ports.new(),
            sardana=port(config.ports.sardana, "the Sardana ingester"),
            tango=port(config.ports.tango, "Tango"),
            streams={
                stream: url or f"tcp://{LOOPBACK}:{ports.new()}"
                for stream, url in config.streams.items()
            },
        )
