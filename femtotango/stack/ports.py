"""TCP ports that nothing else uses."""

import random
import socket
from pathlib import Path
from types import TracebackType

import psutil

from femtotango.stack.errors import PortError
from femtotango.stack.launch import LOOPBACK

ALL_INTERFACES = "0.0.0.0"
_ELSEWHERE = ("203.0.113.1", 9)
"""An address kept for documentation: only the route to it matters."""
_FIRST = 10240
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 2000


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def outward_address() -> str:
    """Return the IPv4 address under which other machines reach this one; without any, loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)  # of UDP: nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            pass  # no route to everywhere: an instrument's own network
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            ours = address.family == socket.AF_INET and not address.address.startswith("127.")
            if ours and name in up:
                return address.address
    return LOOPBACK


class Ports:
    """Hands out ports and keeps other stacks on this machine from taking them.

    A detector binds its port long after it was handed out, so that looking whether a port is in
    use is not enough: each one is reserved by a name in the abstract socket space, which the
    kernel frees when this process ends. Ports that outgoing connections may get are left alone: an
    ingester that waits for its detector there could end up connected to itself.

    Each reservation is an open socket: `give_back` what is not needed any more, and `close` at the
    end, or use it as a context manager.
    """

    def __init__(self) -> None:
        self._reservations: dict[int, socket.socket] = {}

    def __enter__(self) -> "Ports":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all ports back."""
        for port in list(self._reservations):
            self.give_back(port)

    def give_back(self, port: int) -> None:
        """Let others have a port; one that was not handed out is none of our business."""
        mark = self._reservations.pop(port, None)
        if mark is not None:
            mark.close()

    def new(self) -> int:
        """Return a free port and reserve it.

        Raises:
            PortError: all are taken.
        """
        last = min(_first_ephemeral(), 32768) - 1
        for _ in range(_TRIES):
            port = random.randint(_FIRST, last)
            if self._reserve(port):
                if is_free(port):
                    return port
                self.give_back(port)
        raise PortError(f"No free TCP port between {_FIRST} and {last}.")

    def check_address(self, host: str) -> None:
        """Check that servers can listen there.

        Raises:
            PortError: this machine has no such address.
        """
        if not is_free(0, host):
            raise PortError(
                f"bind = {host!r}: this machine has no such address (IPv4); use 127.0.0.1, 0.0.0.0 "
                "for all, or one that `ip address` shows."
            )

    def fixed(self, port: int, purpose: str, host: str = "127.0.0.1") -> int:
        """Return a port that the user asked for.

        Raises:
            PortError: it is in use.
        """
        if not is_free(port, host):
            raise PortError(
                f"Port {port} (for {purpose}) is in use on {host}: end what listens there, or "
                "choose another port in the configuration file."
            )
        self._reserve(port)
        return port

    def _reserve(self, port: int) -> bool:
        if port in self._reservations:
            return False
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            mark.bind(f"\0femtotango-port-{port}")
        except OSError:
            mark.close()
            return False
        self._reservations[port] = mark
        return True


class IngesterPorts:
    """The ports where workers connect to the ingesters, of which each restart needs new ones.

    The ports of the processes before the running ones stay reserved: workers that have not noticed
    the restart still try to connect there, and must find nobody. Older ones are given back.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._kept: dict[str, list[int]] = {}

    def new(self, ingester: str) -> int:
        """Return a port for a process that is about to start.

        Args:
            ingester: its name; the process that had it before must have ended.

        Raises:
            PortError: all are taken.
        """
        kept = self._kept.setdefault(ingester, [])
        kept.append(self._ports.new())
        while len(kept) > 2:
            self._ports.give_back(kept.pop(0))
        return kept[-1]


def _first_ephemeral() -> int:
    try:
        return int(_EPHEMERAL_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32768
