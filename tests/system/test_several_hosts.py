"""Each part on a host of its own; a worker's host is cut off in a scan and comes back."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tango
from support.device_server import NAME, write_memory
from support.hosts import OURS, Host, NoHosts, hosts
from support.waiting import wait_for

from femtotango.dranspose_client.controller import Controller
from femtotango.errors import PipelineError
from femtotango.simulation.beamline import ScanPlayer
from femtotango.stack.redis_server import redis_program
from femtotango.stack.tango_client import device_state
from pipeline.simulation.scan import BurstScan

pytestmark = pytest.mark.slow

REDIS, CONTROLLER, REDUCER, RESULTS, INGESTER, SOURCE, SARDANA, RECORDS, TANGO = range(7001, 7010)
"""Ports; each host has all of them for itself."""
SCAN = BurstScan(steps=2, burst=4)
FRAMES = SCAN.steps * SCAN.burst
FRAME = np.ones((32, 48), np.float32)
CUT_OFF = 20.0
"""[s]"""


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


@pytest.fixture
def beamline(tmp_path: Path) -> Iterator[tuple[dict[str, Any], Host]]:
    """Run each part on a host of its own; give the addresses, and the host of a worker."""
    with ExitStack() as running:
        try:
            made = running.enter_context(hosts("main", "ingest", "work1", "work2"))
        except NoHosts as reason:
            pytest.skip(f"no hosts of their own: {reason}")
        main, ingest, *workers = made
        settings = {"REDIS_URL": f"redis://{main.address}:{REDIS}/0"}

        def run(host: Host, name: str, command: list[str], **environment: str) -> None:
            log = tmp_path / f"{name}.log"
            running.enter_context(host.run(command, log, **settings, **environment))

        redis = ["--port", str(REDIS), "--save", "", "--protected-mode", "no"]
        run(main, "redis", [redis_program(), *redis])
        web = ["--host", main.address, "--port"]
        run(
            main, "controller", python("uvicorn", "dranspose.controller:app", *web, str(CONTROLLER))
        )
        of_ours = ["-c", "pipeline.reducer:FemtomaxReducer"]
        run(
            main,
            "reducer",
            python(
                "dranspose.cli", "reducer", "--host", main.address, "-p", str(REDUCER), *of_ours
            ),
            REDUCER_URL=f"tcp://{main.address}:{RESULTS}",
        )
        source = f"tcp://{OURS}:{SOURCE}"
        camera = ["-c", "ZmqPullSingleIngester", "-n", "pilatus", "-u", source]
        run(
            ingest,
            "pilatus",
            python("dranspose.cli", "ingester", *camera),
            INGESTER_URL=f"tcp://{ingest.address}:{INGESTER}",
        )
        app = ["-c", "dranspose.ingesters.http_sardana:app", "-n", "sardana"]
        run(
            ingest,
            "sardana",
            python(
                *("dranspose.cli", "http_ingester", *app),
                *("--host", ingest.address, "-p", str(SARDANA)),
            ),
            INGESTER_URL=f"tcp://{ingest.address}:{RECORDS}",
        )
        for host in workers:
            name = host.name.rpartition("-")[2]
            of_ours = ["-c", "pipeline.worker:FemtomaxWorker"]
            run(host, name, python("dranspose.cli", "worker", "-n", name, *of_ours))
        addresses = {
            "controller": f"http://{main.address}:{CONTROLLER}",
            "reducer": f"http://{main.address}:{REDUCER}",
            "sardana": f"http://{ingest.address}:{SARDANA}",
        }
        memory = tmp_path / "memory.txt"
        properties = {f"{part.title()}Url": url for part, url in addresses.items()}
        write_memory(memory, properties, {})
        device = python("femtotango.device", "test", f"-file={memory}")
        run(main, "device", [*device, "-ORBendPoint", f"giop:tcp:{main.address}:{TANGO}"])
        info = {
            **addresses,
            "device": f"tango://{main.address}:{TANGO}/{NAME}#dbase=no",
            "streams": {"pilatus": source},
        }
        wait_for(lambda: whole(info), lambda: logs(tmp_path))
        wait_for(lambda: device_state(info["device"]) == "ON", lambda: logs(tmp_path))
        yield info, workers[1]


def whole(info: dict[str, Any]) -> bool:
    controller = Controller(info["controller"])
    try:
        config = controller.config()
    except PipelineError:
        return False
    finally:
        controller.close()
    parts = ["work1", "work2"], [i.name for i in config.ingesters]
    return len(parts[1]) == 2 and not config.not_ready(None, *parts)


def logs(folder: Path) -> str:
    return json.dumps({p.name: p.read_text()[-500:] for p in folder.glob("*.log")}, indent=1)


def take_scan(player: ScanPlayer) -> None:
    player.prepare("pilatus", SCAN)
    player.play("pilatus", [FRAME] * FRAMES, SCAN)
    player.wait_finished()


def works(player: ScanPlayer) -> bool:
    """Take a scan into a new sum, unless it is refused."""
    player.device.ResetAccumulation()
    try:
        take_scan(player)
    except tango.DevFailed:
        return False
    return True


def test_a_worker_s_host_that_is_cut_off_costs_one_scan(beamline, capsys):
    info, host = beamline
    with ScanPlayer(info) as player:
        player.write(Accumulate=True)
        wait_for(lambda: works(player), player.device.status)
        assert player.read("FrameCount") == FRAMES
        player.prepare("pilatus", SCAN)
        player.play("pilatus", [FRAME] * FRAMES, SCAN, only=3)
        host.cut_off()
        begin = time.monotonic()
        try:
            player.wait_finished()
            noticed = time.monotonic() - begin
            error = player.read("LastError")
            assert "work2 ended or hang" in error, error
            wait_for(lambda: time.monotonic() - begin > CUT_OFF, "the end of the cut")
        finally:
            host.connect()
        wait_for(lambda: whole(info), "the host to come back")
        back = time.monotonic() - begin
        wait_for(lambda: works(player), player.device.status)
        assert player.read("FrameCount") == FRAMES
        with capsys.disabled():
            print(f"\ngiven up after {noticed:.1f} s, whole after {back:.1f} s")
