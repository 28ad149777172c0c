"""What a test needs to look at the device from outside: refusals, useless servers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import tango
from support.waiting import STEADY, wait_for

from femtotango.dranspose_client.controller import Controller


def refusal(call: Callable[..., Any], *arguments: Any) -> tango.DevError:
    """Return the error with which a call is refused."""
    with pytest.raises(tango.DevFailed) as raised:
        call(*arguments)
    return raised.value.args[0]


@dataclass(frozen=True)
class SilentServer:
    """A server that takes connections and never answers."""

    url: str
    taken: list[socket.socket]
    """All connections so far."""


@contextmanager
def silent_server() -> Iterator[SilentServer]:
    """Run a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []
        server.settimeout(0.1)
        closing = threading.Event()

        def accept() -> None:
            while not closing.is_set():
                try:
                    taken.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield SilentServer(f"http://127.0.0.1:{server.getsockname()[1]}", taken)
        finally:
            closing.set()
            thread.join()
            for connection in taken:
                connection.close()


def wait_settled(controller: Controller) -> None:
    """Wait until all services have the parameters, and nobody changes any.

    Only then the first frames of a trigger map that another client posts see them all.
    """

    since = time.monotonic()

    def settled() -> bool:
        nonlocal since
        if controller.config().behind():
            since = time.monotonic()
        return time.monotonic() - since > STEADY

    wait_for(settled, "all services have the parameters, and nobody changes any")


@contextmanager
def closed_port() -> Iterator[str]:
    """Give an address that refuses connections."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
