"""How soon the device reacts, in the periods at which its parts look at each other."""

import json
import signal
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import psutil
import tango
from feeding import stack_with
from section import Section, markdown_table
from tango.test_context import DeviceTestContext

from femtotango.dranspose_client.controller import Controller
from femtotango.simulation.balor_device import BalorSimulator
from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan

STREAM = "pilatus"
_ROUNDS = 5
_READS = 100
_LIMIT = 60.0
_OTHERS = ("State", "FrameCount", "Background", "PreviewImage")
_UPDATE = 0.2
"""Period at which the device asks the pipeline [s]."""
_CONTROLLER = 2.0
"""Period at which dranspose's controller sends all parameters around [s]."""
_WATCH = 0.5
"""Period at which the device looks at the Balor [s]."""


def until(condition: Callable[[], Any]) -> float:
    """Return how long it takes until a condition holds [s]."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > _LIMIT:
            raise TimeoutError(f"not within {_LIMIT:.0f} s")
        time.sleep(0.005)
    return time.monotonic() - start


def read_times(device: Any) -> list[float]:
    """Return how long reads of a client take [s]."""
    took = []
    for _ in range(_READS):
        start = time.monotonic()
        device.read_attributes(list(_OTHERS))
        took.append(time.monotonic() - start)
    return took


def curve(player: ScanPlayer) -> float:
    """Return how long the azimuthal curve takes to follow the distance [s]."""
    before = player.read("AzimuthalQ")[-1]
    player.write(Distance=player.read("Distance") + 0.01)
    return until(lambda: player.read("AzimuthalQ")[-1] < before)


def adoption(player: ScanPlayer, controller: Controller, value: float) -> float:
    """Return how long the device takes to show what another client set [s]."""
    controller.set_parameter("background", str(value).encode())
    return until(lambda: player.read("Background") == value)


def raw_saving(camera: Any) -> float:
    """Return how long the Balor stays without raw data when nothing is trusted [s]."""
    camera.SaveRaw = False
    return until(lambda: camera.SaveRaw)


def while_a_scan_waits(player: ScanPlayer) -> list[float]:
    """Return how long reads take while PrepareScan waits for a scan that is not finished."""
    scan = BurstScan(steps=1, burst=2)
    player.prepare(STREAM, scan)
    request = json.dumps({"streams": [STREAM], "steps": 1, "burst": 1})

    def prepare() -> None:
        with suppress(tango.DevFailed):
            player.device.PrepareScan(request)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(prepare)
        took = read_times(tango.DeviceProxy(player.info["device"]))
        waiting.result()
    player.device.StopScan()
    player.wait_finished()
    return took


@contextmanager
def hanging(info: dict[str, Any]):
    """Stop controller and reducer for a while."""
    apps = ("dranspose.controller:app", "dranspose.reducer:app")
    children = psutil.Process(info["pid"]).children(recursive=True)
    halted = [c for c in children if any(app in word for word in c.cmdline() for app in apps)]
    for process in halted:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in halted:
            process.send_signal(signal.SIGCONT)


def run() -> Section:
    """Measure all of them on one stack."""
    with DeviceTestContext(BalorSimulator, process=True, timeout=_LIMIT) as camera:
        address = f"tango://{camera.get_dev_host()}:{camera.get_dev_port()}/{camera.name()}"
        properties = {"BalorDevice": f"{address}#dbase=no"}
        with stack_with(streams=[STREAM], properties=properties, hang_patience=300) as info:
            return _section(info, camera)


def _section(info: dict[str, Any], camera: Any) -> Section:
    with ScanPlayer(info) as player:
        rows = _rows(player, camera)
    table, demands = [], []
    for what, took, unit, limit in rows:
        middle = statistics.median(took)
        table.append([what, f"{middle * 1e3:.1f}", f"{unit * 1e3:.1f}", f"{middle / unit:.2f}"])
        demands.append((f"{what}: at most {limit} periods", middle <= limit * unit))
    head = ["median", "takes [ms]", "period [ms]", "periods"]
    text = (
        "What the tests wait for without a clock. The period is that at which the device asks the "
        "pipeline or the Balor, or the controller sends parameters around; for reads it is what "
        f"one takes when nothing happens.\n\n{markdown_table(head, table)}"
    )
    return Section("Reactions of the device", text, demands)


def _rows(player: ScanPlayer, camera: Any) -> list[tuple[str, list[float], float, int]]:
    player.write(Accumulate=True, PhotonEnergy=13.5, Distance=0.1, BeamX=20.0, BeamY=20.0)
    scan = BurstScan(steps=1, burst=2)
    player.prepare(STREAM, scan)
    player.play(STREAM, [np.ones((64, 64), np.float32)] * 2, scan)
    player.wait_finished()
    until(lambda: player.read("AzimuthalQ") is not None)
    controller = Controller(player.info["controller"])
    rows = [
        ("the curve follows Distance", [curve(player) for _ in range(_ROUNDS)], _UPDATE, 10),
        (
            "another client's value is adopted",
            [adoption(player, controller, 50.5 + n) for n in range(_ROUNDS)],
            _CONTROLLER,
            1,
        ),
        (
            "raw data are saved again",
            [raw_saving(camera) for _ in range(_ROUNDS)],
            _WATCH,
            4,
        ),
    ]
    controller.close()
    idle = read_times(player.device)
    waiting = while_a_scan_waits(player)
    with hanging(player.info):
        until(lambda: player.device.state() == tango.DevState.UNKNOWN)
        stuck = read_times(player.device)
    usual = statistics.median(idle)
    rows += [
        ("a read while PrepareScan waits", waiting, usual, 3),
        ("a read while controller and reducer hang", stuck, usual, 3),
    ]
    return rows
