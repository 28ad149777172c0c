"""Fixtures with real processes: a whole stack, and a scan player in front of it.

`stack` runs `femtotango up` once per test session (Redis, dranspose, an embedded Tango database and
the device, all on free loopback ports) and gives what its ready file says: device, tango_host,
controller, reducer, sardana, streams; and pid and state folder. It is shared: leave the device as
you found it, or use `player`, which does that.

`player` gives a `femtotango.simulation.beamline.ScanPlayer` on that stack, with every attribute at
its default and no scan running:

    def test_sum(player):
        player.write(Accumulate=True)
        scan = BurstScan(steps=2, burst=3)
        player.prepare("pilatus", scan)
        player.play("pilatus", detector_frames("pilatus", 1, scan.frame_positions), scan)
        player.wait_finished()
        assert player.read("FrameCount") == 6

`breakable` gives the same for a smaller stack, one camera only, that tests may do harm to: it has
to recover, and is shared by the tests of a file. One that did not is replaced by a new one.

`own_stack` gives a function that runs a stack for one test alone.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tango
from support.waiting import wait_for

from femtotango.simulation.beamline import ScanPlayer
from femtotango.stack.errors import StackError
from femtotango.stack.running import running
from femtotango.stack.tango_client import device_state
from pipeline.model.parameters import ATTRIBUTES

ReadyInfo = dict[str, Any]
NO_KILL = "hang_patience = 300\n"
"""Line of a configuration: what a test stops for a while is not killed."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadyInfo]:
    """Run one stack for the whole session; see above."""
    folder = tmp_path_factory.mktemp("stack")
    config = folder / "stack.toml"
    config.write_text(NO_KILL)
    with running(["up", "--state", str(folder), "--config", str(config)]) as info:
        yield {**info, "folder": str(folder)}


@pytest.fixture
def player(stack: ReadyInfo) -> Iterator[ScanPlayer]:
    """Play scans on the session's stack, from defaults; see above."""
    with ScanPlayer(stack) as player:
        reset(player)
        yield player
        reset(player)


class Breakable:
    """A stack that is started when somebody asks for it, and again when it was broken for good."""

    def __init__(self, new_folder: Callable[[], Path]) -> None:
        self._new_folder = new_folder
        self._stack = ExitStack()
        self._info: ReadyInfo = {}

    def get(self) -> ReadyInfo:
        """Return what the ready file says of a stack that works."""
        if not self._info or not _works(self._info):
            self.close()
            folder = self._new_folder()
            config = folder / "stack.toml"
            config.write_text('[streams]\npilatus = ""\n')
            arguments = ["up", "--state", str(folder), "--config", str(config)]
            self._info = self._stack.enter_context(running(arguments))
        return self._info

    def close(self) -> None:
        """End the stack."""
        self._stack.close()
        self._info = {}


@pytest.fixture(scope="module")
def _breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Breakable]:
    with closing(Breakable(lambda: tmp_path_factory.mktemp("breakable"))) as stack:
        yield stack


@pytest.fixture
def breakable(_breakable: Breakable) -> ReadyInfo:
    """Give a stack that may be harmed; see above."""
    return _breakable.get()


def _works(info: ReadyInfo) -> bool:
    """Tell whether a stack that may have been harmed takes scans again."""
    try:
        with ScanPlayer(info) as player:
            wait_for(lambda: device_state(info["device"]) == "ON", player.device.status)
            reset(player)
    except (AssertionError, StackError, tango.DevFailed):
        return False
    return True


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Callable[..., ReadyInfo]]:
    """Run a stack for this test alone; the arguments are those of `femtotango up`."""
    with ExitStack() as exit_stack:

        def start(*arguments: str) -> ReadyInfo:
            state = ["--state", str(tmp_path / "state")]
            return exit_stack.enter_context(running(["up", *state, *arguments]))

        yield start


def process(info: ReadyInfo, part: str) -> psutil.Process:
    """Return the process of a stack whose command line names the part."""
    (found,) = (
        child
        for child in psutil.Process(info["pid"]).children(recursive=True)
        if any(part in word for word in child.cmdline())
    )
    return found


def reset(player: ScanPlayer) -> None:
    """End what runs, show no image, and write the defaults of what is not at its default.

    What is so already is left alone: each write goes to every process of the stack.
    """
    player.device.StopContinuous()
    player.device.StopScan()
    # A ROI or a geometry that is written without a camera is of the one that is shown.
    if player.read("Detector") or player.read("FrameCount"):
        player.device.ResetAccumulation()
        wait_for(lambda: not player.read("Detector"), player.device.status)
    read = player.device.read_attributes([*ATTRIBUTES])
    changed = [a.name for a in read if not np.array_equal(a.value, ATTRIBUTES[a.name].default)]
    player.write(**{name: ATTRIBUTES[name].default for name in changed})
    if changed:
        player.write(GeometryCamera="")  # a geometry that is written sets it
