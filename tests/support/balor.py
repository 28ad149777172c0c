"""The simulated Balor's own Tango server."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.server_process import running_server, takes_requests

from femtotango.stack.ports import Ports

NAME = "test/balor/1"


@contextmanager
def balor_server(folder: Path) -> Iterator[str]:
    """Run the simulated Balor and give its address.

    Args:
        folder: gets its log.
    """
    log = folder / "balor.log"
    with Ports() as ports:
        port = ports.new()
        command = [
            *(sys.executable, "-m", "femtotango.simulation.balor_device", "test", "-nodb"),
            *("-dlist", NAME, "-ORBendPoint", f"giop:tcp:127.0.0.1:{port}"),
        ]
        with running_server(command, log, lambda: takes_requests(log)):
            yield f"tango://127.0.0.1:{port}/{NAME}#dbase=no"
