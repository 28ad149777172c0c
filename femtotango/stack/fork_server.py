"""A process that has imported what the parts of a stack need, and forks them.

Imports are most of what a part's start costs. `forks.ForkServer` starts this process and tells it
what to fork; each part becomes a child of the stack, not of this process, and outlives it.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from setproctitle import setproctitle

from femtotango.stack.launch import become, die_with

_LARGEST = 200_000
"""Longest order [bytes]."""
_POLL = 0.001


def main() -> None:
    """Import, fork what the stack asks for until it closes its end, and become that in the child.

    The argument is the file descriptor of our end of the socket. The first message there are the
    modules to import; the answer, the stack's process id, says that they are imported. Each other
    message is an order, and its answer the process id of a fork that is ready to begin.
    """
    stack = os.getppid()
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        for module in json.loads(orders.recv(_LARGEST)):
            # A part that needs what is missing says so when it starts.
            with suppress(ImportError):
                importlib.import_module(module)
        gc.collect()
        gc.freeze()
        _say(orders, stack)
        order = _serve(orders)
        if order is None:
            return
        _belong_to(stack)
        _take_over(order)
        _say(orders, os.getpid())
    setproctitle(order["title"])
    become(order["target"], order["arguments"])


def _say(orders: socket.socket, number: int) -> None:
    orders.send(str(number).encode())


def _serve(orders: socket.socket) -> dict[str, Any] | None:
    """Fork for each order; return it in the child, and None in this process at the end."""
    while message := orders.recv(_LARGEST):
        between = os.fork()
        if between == 0:
            if os.fork():
                os._exit(0)  # now the stack adopts the child
            return json.loads(message)
        os.waitpid(between, 0)
    return None


def _belong_to(stack: int) -> None:
    """Wait until the stack has adopted this process, and end with it."""
    while os.getppid() != stack:
        try:
            os.kill(stack, 0)
        except ProcessLookupError:
            sys.exit(f"The stack {stack} has gone; nothing is started.")
        time.sleep(_POLL)
    die_with(stack, signal.SIGKILL)


def _take_over(order: dict[str, Any]) -> None:
    """Take the session, the output and the environment that a started command would have."""
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.update(order["environment"])
