"""What a stack survives."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from support.killing import (
    INGESTERS,
    WORKERS,
    kill,
    kill_and_wait,
    processes,
    ready,
    usable,
)
from support.small_scan import ONE_CAMERA, SCAN, scan
from support.stack import ReadyInfo
from support.waiting import PATIENCE, wait_for

from femtotango.simulation.beamline import ScanPlayer
from femtotango.stack.config import MIN_PATIENCE
from femtotango.stack.running import running
from pipeline.simulation.scan import detector_frames

pytestmark = pytest.mark.slow

_KILLED = "it is killed"
"""In the log of `up`, for each process that hangs."""


def test_every_process_may_be_killed(breakable):
    info = breakable
    with ScanPlayer(info) as player:
        player.write(Accumulate=True)
        scan(player)
        frames = 6
        assert player.read("FrameCount") == frames
        # Nothing needs the process that forks the parts; the next part replaces it.
        kill(info, "fork_server:main", with_successor=False)
        for sign, new in (
            ("-n worker1", ["worker1", *INGESTERS]),
            ("-n pilatus", INGESTERS),
            ("http_sardana", INGESTERS),
            ("dranspose.controller", []),
        ):
            kill_and_wait(info, sign, new)
            wait_for(lambda: usable(player), "the device")
            scan(player)
            frames += 6
            assert player.read("FrameCount") == frames, sign
        for sign, new in (
            ("dranspose.reducer", ["reducer"]),
            ("redis-server", ["reducer", *WORKERS, *INGESTERS]),
        ):
            kill_and_wait(info, sign, new)
            wait_for(lambda: usable(player), "the device")
            player.device.ResetAccumulation()  # what was in the reducer's memory is gone
            scan(player)
            assert player.read("FrameCount") == 6, sign
            assert player.read("Accumulate") is True


def test_a_worker_may_be_killed_in_a_scan(breakable):
    info = breakable
    with ScanPlayer(info) as player:
        player.write(Accumulate=True)
        player.prepare("pilatus", SCAN)
        frames = list(detector_frames("pilatus", 1, SCAN.frame_positions))
        player.play("pilatus", frames, SCAN, only=3)
        kill_and_wait(info, "-n worker2", ["worker2", *INGESTERS])
        player.wait_finished()
        player.device.ResetAccumulation()
        scan(player)
        assert player.read("FrameCount") == 6


def test_device_and_database_may_be_killed(breakable):
    info = breakable
    with ScanPlayer(info) as player:
        player.write(CmosThreshold=31.0)
    for sign in ("femtotango.device", "databaseds"):
        kill(info, sign)

        def answers() -> bool:
            try:
                with ScanPlayer(info) as player:
                    return usable(player)
            except tango.DevFailed:
                return False

        wait_for(answers, f"recovery from the end of {sign}")
        with ScanPlayer(info) as player:
            assert player.read("CmosThreshold") == 31.0
            scan(player)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadyInfo]:
    """Run a stack that soon kills what hangs."""
    folder = tmp_path_factory.mktemp("impatient")
    config = folder / "stack.toml"
    config.write_text(f"patience = {MIN_PATIENCE}\n{ONE_CAMERA}")
    with running(["up", "--state", str(folder), "--config", str(config)]) as info:
        yield {**info, "folder": str(folder)}


@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    "signs",
    [
        ("-n worker1", "dranspose.reducer", "http_sardana", "femtotango.device"),
        ("-n pilatus", "dranspose.controller", "databaseds"),
        ("redis-server",),
    ],
)
def test_what_hangs_is_restarted(impatient, signs):
    info = impatient
    log = Path(info["folder"]) / "logs" / "up.log"
    killed = log.read_text().count(_KILLED)
    before = processes(info)
    with ScanPlayer(info) as player:
        scan(player)
    stopped = [pid for pid, line in before.items() if any(sign in line for sign in signs)]
    assert len(stopped) == len(signs)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    # Several recoveries one after the other, each with the watchdog's own patience before it, and
    # with that for a start where the machine was too busy to look before the hang.
    limit = 6 * PATIENCE
    wait_for(lambda: not {*stopped} & processes(info).keys(), "the end of what hangs", limit)

    def works() -> bool:
        try:
            with ScanPlayer(info) as player:
                return ready(info, (), INGESTERS) and usable(player)
        except tango.DevFailed:
            return False

    wait_for(works, "recovery", limit)
    with ScanPlayer(info) as player:
        scan(player)
    text = log.read_text()
    assert 1 <= text.count(_KILLED) - killed <= len(signs), text
