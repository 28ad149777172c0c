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

`own_stack` gives a function that runs a stack of its own, for tests that break it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from femtotango.simulation.beamline import ScanPlayer
from femtotango.stack.running import running
from pipeline.model.parameters import ATTRIBUTES

ReadyInfo = dict[str, Any]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadyInfo]:
    """Run one stack for the whole session; see above."""
    folder = tmp_path_factory.mktemp("stack")
    with running(["up", "--state", str(folder)]) as info:
        yield {**info, "folder": str(folder)}


@pytest.fixture
def player(stack: ReadyInfo) -> Iterator[ScanPlayer]:
    """Play scans on the session's stack, from defaults; see above."""
    with ScanPlayer(stack) as player:
        reset(player)
        yield player
        reset(player)


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
    """End what runs, and write every default."""
    player.device.StopContinuous()
    player.device.StopScan()
    player.write(**{name: parameter.default for name, parameter in ATTRIBUTES.items()})
    player.device.ResetAccumulation()
