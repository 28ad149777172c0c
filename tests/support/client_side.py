"""What a test needs to look at the device from outside: waits, refusals, useless servers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import tango


def wait_for(
    condition: Callable[[], Any], limit: float = 10.0, why: Callable[[], Any] = lambda: ""
) -> None:
    """Wait until a condition holds, or fail."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit:g} s: {why()}"
        time.sleep(0.02)


def refusal(call: Callable[..., Any], *arguments: Any) -> tango.DevError:
    """Return the error with which a call is refused."""
    with pytest.raises(tango.DevFailed) as raised:
        call(*arguments)
    return raised.value.args[0]


@contextmanager
def silent_server() -> Iterator[str]:
    """Serve an address that takes connections and never answers."""
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
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            closing.set()
            thread.join()
            for connection in taken:
                connection.close()


@contextmanager
def closed_port() -> Iterator[str]:
    """Give an address that refuses connections."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
