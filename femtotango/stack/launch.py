"""The first thing that runs in each process of the stack.

``python -m femtotango.stack.launch PARENT [--term] TARGET [ARGUMENT …]`` ties the process to its
parent, whose end is its own (SIGKILL, or SIGTERM for one that has to end children of its own), then
becomes TARGET: ``module:function`` is called in this interpreter, under the program name NAME when
it is given as ``NAME=module:function``; anything else is executed.
"""

import ctypes
import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

_PING_MS = 1
"""How long an ingester's poll for pings lasts in dranspose; that for left-overs is shorter."""
_PING_REST_MS = 1000
_LEFT_OVERS_MS = 20
_QUEUE = 32
"""Messages that wait in an ingester."""
_UPDATES = "dranspose:controller:updates"
"""Redis stream in which dranspose's controller tells its services of maps and parameters."""
_READ_CHANGES = "pipeline.dranspose_updates:read_what_has_changed"
"""Is called before a service of dranspose begins."""
LOOPBACK = "127.0.0.1"
NEEDS = "FEMTOTANGO_NEEDS"
"""Environment variable: a class that has to load. dranspose goes on without, and drops events."""


def die_with(parent: int, with_signal: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send a signal to this process when its parent ends, however it ends.

    Args:
        parent: process id that must still be our parent.
        with_signal: what to send; it survives an exec.

    Raises:
        SystemExit: the parent has already gone.
    """
    _prctl("PR_SET_PDEATHSIG", 1, int(with_signal))
    if os.getppid() != parent:
        sys.exit(f"The parent process {parent} has gone; nothing is started.")


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent ends."""
    _prctl("PR_SET_CHILD_SUBREAPER", 36, 1)


def _prctl(name: str, option: int, value: int) -> None:
    """Set one of the properties that the kernel keeps of this process; see prctl(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({name}) failed")


def bind_zmq_to_loopback() -> None:
    """Let ZMQ sockets that would bind to all interfaces bind to loopback.

    dranspose has no setting for the interface, and what arrives at its reducer is unpickled.
    """
    import zmq

    bind = zmq.Socket.bind

    def bind_here(self: Any, addr: str) -> Any:
        return bind(self, addr.replace("tcp://*:", f"tcp://{LOOPBACK}:"))

    zmq.Socket.bind = bind_here  # pyright: ignore[reportAttributeAccessIssue]


def limit_queues() -> None:
    """Let a detector wait when the pipeline is slower, instead of filling the memory.

    An ingester would take in 1000 messages; of a Balor that is 34 GB.
    """
    import zmq

    connect = zmq.Socket.connect

    def connect_limited(self: Any, addr: str) -> Any:
        if self.socket_type == zmq.PULL:
            self.set_hwm(_QUEUE)
        return connect(self, addr)

    zmq.Socket.connect = connect_limited  # pyright: ignore[reportAttributeAccessIssue]


def rest_between_pings() -> None:
    """Let dranspose's two polls with a time limit last longer.

    An ingester that waits for its workers' pings would wake 1000 times a second: five idle ones
    would take 40 % of a core. A ping still ends the wait at once. A worker takes what its ingesters
    have left from the trigger map before, one after the other, and would not wait for what is on
    its way.
    """
    import zmq.asyncio

    poll = zmq.asyncio.Poller.poll

    def poll_longer(self: Any, timeout: int | None = -1) -> Any:
        if timeout == _PING_MS:
            timeout = _PING_REST_MS
        elif timeout is not None and timeout >= 0:
            timeout = max(timeout, _LEFT_OVERS_MS)
        return poll(self, timeout)

    zmq.asyncio.Poller.poll = poll_longer


def heed_each_map() -> None:
    """Let a dranspose service act on each trigger map and each end of a scan.

    It reads all updates of the controller that are there and acts on the last: parameters that are
    posted just behind a trigger map would take the map's streams away, and its scan would hang.
    """
    import redis.asyncio

    xread = redis.asyncio.Redis.xread

    async def read_to_next_map(self: Any, streams: Any, *args: Any, **options: Any) -> Any:
        found = await xread(self, streams, *args, **options)
        if _UPDATES in found:
            (entries,) = found[_UPDATES]
            found[_UPDATES] = [entries[: _up_to_map([entry[1]["data"] for entry in entries])]]
        return found

    redis.asyncio.Redis.xread = read_to_next_map  # pyright: ignore[reportAttributeAccessIssue]


def _up_to_map(updates: Sequence[str | bytes]) -> int:
    """Return how many updates to take: up to the first that is more than parameters."""
    for number, update in enumerate(updates, 1):
        content = json.loads(update)
        if content["active_streams"] or content["finished"]:
            return number
    return len(updates)


def load(name: str) -> Any:
    """Return ``module:attribute``; what is not installed is found on PYTHONPATH."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def main(arguments: Sequence[str]) -> None:
    """Become the program that the arguments name."""
    parent, target, *rest = arguments
    if target == "--term":
        target, *rest = rest
        die_with(int(parent), signal.SIGTERM)
    else:
        die_with(int(parent))
    become(target, rest)


def become(target: str, arguments: Sequence[str]) -> None:
    """Run what is left of this process as a target, which the module's text explains."""
    if ":" not in target:
        os.execvp(target, [target, *arguments])
    bind_zmq_to_loopback()
    limit_queues()
    rest_between_pings()
    if any(word.startswith("dranspose.") for word in (target, *arguments)):
        heed_each_map()
        load(_READ_CHANGES)()
    name, _, target = target.rpartition("=")
    sys.argv = [name or target, *arguments]
    needed = os.environ.get(NEEDS)
    if needed:
        load(needed)
    sys.exit(load(target)())


if __name__ == "__main__":
    main(sys.argv[1:])
