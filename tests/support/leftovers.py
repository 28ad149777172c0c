"""The last check of a session: no process, no folder and no socket of ours is left."""

import gc
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from support.waiting import wait_for

_UNTIL_THE_END = ("Xvfb", "multiprocessing.resource_tracker")
"""What may live as long as this process: a screen, and a helper of Python's own."""


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give this session a temporary folder of its own, and look at the end what is left."""
    folder = tmp_path_factory.mktemp("tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        # Qt would make one in the temporary folder.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        patch.setattr(tempfile, "tempdir", None)
        yield
        gc.collect()
        wait_for(lambda: not processes(), lambda: f"the end of {processes()}")
        assert sorted(folder.iterdir()) == [], "left in the temporary folder"
        assert reserved_ports() == [], "ports that were not given up"


def processes() -> list[str]:
    """Return the command lines of our children that still run."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            line = " ".join(child.cmdline())
            running = child.status() != psutil.STATUS_ZOMBIE
            if running and not any(name in line for name in _UNTIL_THE_END):
                found.append(line)
    return found


def reserved_ports() -> list[str]:
    """Return the names of the ports that this process still reserves."""
    ours = {connection.fd for connection in psutil.Process().net_connections("unix")}
    table = Path("/proc/self/net/unix").read_text().splitlines()[1:]
    names = {(fields := line.split())[6]: fields[7] for line in table if len(line.split()) > 7}
    found = []
    for descriptor in ours:
        with suppress(OSError):  # it was closed meanwhile
            inode = Path(f"/proc/self/fd/{descriptor}").readlink().name.strip("socket:[]")
            found.append(names.get(inode, ""))
    return [name for name in found if name.startswith("@femtotango-port-")]
