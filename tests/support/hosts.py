"""Hosts of their own on one machine: network namespaces at one switch; needs root."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support.server_process import end

OURS = "10.213.77.254"
"""Address of this process on the switch."""


class NoHosts(Exception):
    """This machine lets nobody make network namespaces."""


class Host:
    """A machine that programs can run on, and that can be cut off."""

    def __init__(self, name: str, address: str) -> None:
        """Take what `hosts` made.

        Args:
            name: of the namespace.
            address: on the switch.
        """
        self.name = name
        self.address = address

    def cut_off(self) -> None:
        """Let no packet through any more."""
        _ip("-n", self.name, "link", "set", "eth0", "down")

    def connect(self) -> None:
        """Let packets through again."""
        _ip("-n", self.name, "link", "set", "eth0", "up")

    @contextmanager
    def run(self, command: Sequence[str], log: Path, **environment: str) -> Iterator[None]:
        """Run a program on this host until the block is left."""
        line = ["ip", "netns", "exec", self.name, *command]
        env = {**os.environ, **environment}
        with (
            log.open("wb") as output,
            subprocess.Popen(line, stdout=output, stderr=output, env=env) as process,
        ):
            try:
                yield
            finally:
                end(process)


@contextmanager
def hosts(*names: str) -> Iterator[list[Host]]:
    """Make hosts that reach one another and us, and remove them afterwards.

    Raises:
        NoHosts: it is not allowed here.
    """
    # Interfaces have names of at most 15 characters.
    ours = f"ft{os.getpid()}"
    with ExitStack() as made:
        switch = f"{ours}-switch"
        _ip("netns", "add", switch)
        made.callback(_ip, "netns", "del", switch)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        # This end goes with its other end, which goes with the switch.
        _plug(switch, "us", None, ours, OURS)
        found = []
        for number, name in enumerate(names, 1):
            namespace, address = f"{ours}-{name}", f"{OURS.rpartition('.')[0]}.{number}"
            _ip("netns", "add", namespace)
            made.callback(_ip, "netns", "del", namespace)
            _ip("-n", namespace, "link", "set", "lo", "up")
            _plug(switch, f"to{number}", namespace, "eth0", address)
            found.append(Host(namespace, address))
        yield found


def _plug(switch: str, socket: str, namespace: str | None, interface: str, address: str) -> None:
    """Connect an interface to the switch; the namespace None is ours."""
    inside = [] if namespace is None else ["-n", namespace]
    peer = ["peer", "name", socket, "netns", switch]
    _ip(*inside, "link", "add", interface, "type", "veth", *peer)
    _ip("-n", switch, "link", "set", socket, "master", "switch", "up")
    _ip(*inside, "address", "add", f"{address}/24", "dev", interface)
    _ip(*inside, "link", "set", interface, "up")


def _ip(*arguments: str) -> None:
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NoHosts("the program ip is not installed") from error
    if done.returncode:
        raise NoHosts(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
