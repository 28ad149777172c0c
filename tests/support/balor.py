"""The simulated Balor as a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.device_server import wait_until_ready

from femtotango.stack.ports import Ports


@contextmanager
def balor_server(folder: Path) -> Iterator[str]:
    """Run a simulated Balor and give its address."""
    ports = Ports()
    port = ports.new()
    log = folder / "balor.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "femtotango.simulation.balor_device", "test", "-nodb"),
                *("-dlist", "test/balor/1", "-ORBendPoint", f"giop:tcp:127.0.0.1:{port}"),
            ],
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_ready(process, log)
        yield f"tango://127.0.0.1:{port}/test/balor/1#dbase=no"
    finally:
        process.terminate()
        process.wait(10.0)
        ports.close()
