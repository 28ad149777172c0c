"""How long raw data stay unsaved after something has ended that must hold.

Prints a table for docs/reliability.md: python tests/bench/bench_save_raw.py [NAME …]. The clock
runs from the event until the camera has SaveRaw = true.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
import tango
from support.balor import balor_server
from support.device_server import NAME, server_process, serving
from support.disks import disk_that_can_hang, hanging, small_disk
from support.raw_data import (
    PARTS,
    ROI,
    STREAM,
    Series,
    drop_raw_data,
    halted,
    prepare,
    processes,
)
from support.waiting import wait_for

from femtotango.dranspose_client.addresses import Addresses
from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.trigger_maps import scan_map
from femtotango.simulation.beamline import ScanPlayer
from femtotango.simulation.detector_socket import PushSource
from femtotango.stack.running import running

_ROUNDS = int(os.environ.get("ROUNDS", "5"))
_MANY = 100_000
_LIMIT = 60.0


class Scene:
    """A pipeline, a camera and a device, which is started anew when it was ended."""

    def __init__(self, folder: Path, info: dict[str, Any], balor: str) -> None:
        self.folder, self.info, self.balor = folder, info, balor
        self.camera = tango.DeviceProxy(balor)
        self.device_life = ExitStack()
        self.rounds = 0
        self.source = PushSource(info["streams"][STREAM])
        self.raw = folder / "raw"
        self.raw.mkdir()

    def start(self) -> None:
        addresses = Addresses.from_ready_info(self.info).properties
        memory = self.folder / "memory.txt"
        properties = {**addresses, "BalorDevice": self.balor}
        address = self.device_life.enter_context(serving(memory, properties))
        self.player = self.device_life.enter_context(ScanPlayer({**self.info, "device": address}))
        self.player.device.set_timeout_millis(20_000)

    def server(self) -> psutil.Process:
        """Return the device's process."""
        return server_process(self.folder / "memory.txt")

    @contextmanager
    def dropping(self, frames: int = _MANY, rate: float = 10.0) -> Iterator[Path]:
        """Run a scan of which raw data are not saved; give its photon file."""
        self.rounds += 1
        prepare(self.player, frames)
        with Series(self.source, self.raw / f"{self.rounds}.h5", rate):
            drop_raw_data(self.player.device)
            time.sleep(0.5 + 0.13 * (self.rounds % 7))
            yield Path(self.player.read("PhotonFile"))

    def took(self, event: Callable[[], Any]) -> float:
        """Return how long it takes from an event on, whether that has returned or not [s]."""
        with ThreadPoolExecutor(1) as pool:
            # Not the event: a process that a thread has started ends with that thread.
            took = pool.submit(self.since, time.monotonic())
            event()
            return took.result()

    def since(self, begin: float) -> float:
        while not self.camera.SaveRaw:
            if time.monotonic() - begin > _LIMIT:
                raise TimeoutError(f"not within {_LIMIT:.0f} s")
            time.sleep(0.005)
        return time.monotonic() - begin

    def clean(self) -> None:
        device = self.player.device
        wait_for(lambda: device.state() != tango.DevState.UNKNOWN, device.status)
        device.StopScan()
        self.player.wait_finished()
        device.AcknowledgeLoss()


def hang(part: str) -> Callable[[Scene], float]:
    def measure(scene: Scene) -> float:
        with scene.dropping(), ExitStack() as stack:
            begin = time.monotonic()
            stack.enter_context(halted(scene.info, part))
            return scene.since(begin)

    return measure


def kill(part: str) -> Callable[[Scene], float]:
    def measure(scene: Scene) -> float:
        with scene.dropping():
            begin = time.monotonic()
            for process in processes(scene.info, part):
                process.kill()
            return scene.since(begin)

    return measure


def stop_scan(scene: Scene) -> float:
    with scene.dropping():
        return scene.took(scene.player.device.StopScan)


def foreign(scene: Scene) -> float:
    controller = Controller(scene.info["controller"])
    with scene.dropping():
        took = scene.took(lambda: controller.set_sequence(scan_map([STREAM], 1, 5, records=False)))
    controller.close()
    return took


def too_many(scene: Scene) -> float:
    """Count from the first frame that was not announced."""
    frames = 40
    scene.rounds += 1
    prepare(scene.player, frames)
    with Series(scene.source, scene.raw / f"{scene.rounds}.h5") as series:
        drop_raw_data(scene.player.device)
        wait_for(lambda: series.sent > frames)
        return scene.since(time.monotonic())


def deleted(scene: Scene) -> float:
    with scene.dropping() as path:
        return scene.took(path.unlink)


def disk_hangs(scene: Scene) -> float:
    with on_disk(scene, disk_that_can_hang) as process, scene.dropping(), ExitStack() as stack:
        begin = time.monotonic()
        stack.enter_context(hanging(process))
        return scene.since(begin)


def disk_full(scene: Scene) -> float:
    """Count from the moment at which nothing more can be written."""
    with on_disk(scene, small_disk) as process, scene.dropping():
        with suppress(OSError), (process / "others").open("wb", buffering=0) as others:
            while True:
                others.write(bytes(1 << 16))
        return scene.since(time.monotonic())


@contextmanager
def on_disk(scene: Scene, disk: Callable[[Path], Any]) -> Iterator[Path]:
    """Have the photon files on a disk of their own."""
    process = scene.folder / f"disk-{scene.rounds}" / "process"
    process.mkdir(parents=True)
    raw, scene.raw = scene.raw, process.parent / "raw"
    try:
        with disk(process):
            yield process
            scene.player.device.StopScan()
    finally:
        scene.raw = raw


def continuous_series_ends(scene: Scene) -> float:
    """Count from the end of a series of continuous mode."""
    scene.rounds += 1
    scene.player.write(PhotonRoi=ROI)
    scene.player.device.StartContinuous([STREAM])
    with Series(scene.source, scene.raw / f"{scene.rounds}.h5") as series:
        drop_raw_data(scene.player.device)
        return scene.took(series.end)


def initialised(scene: Scene) -> float:
    with scene.dropping():
        return scene.took(scene.player.device.Init)


def ended(scene: Scene) -> float:
    with scene.dropping():
        took = scene.took(scene.server().terminate)
        scene.device_life.close()
        scene.start()
    return took


def killed(scene: Scene) -> float:
    """Count from the start of the next process."""
    with scene.dropping():
        scene.server().kill()
        scene.device_life.close()
        assert not scene.camera.SaveRaw, NAME
        return scene.took(scene.start)


CASES: dict[str, Callable[[Scene], float]] = {
    **{f"{part} hangs (SIGSTOP)": hang(part) for part in PARTS},
    **{f"{part} killed": kill(part) for part in PARTS},
    "StopScan in mid-series": stop_scan,
    "another client begins a scan": foreign,
    "more frames than announced": too_many,
    "photon file deleted": deleted,
    "disk of the photon file hangs": disk_hangs,
    "disk of the photon file is full": disk_full,
    "a series of continuous mode ends": continuous_series_ends,
    "Init": initialised,
    "orderly end of the device server": ended,
    "start of a killed device server": killed,
}


def main(wanted: list[str]) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        config = folder / "up.toml"
        config.write_text(f'device = ""\ndatabase = false\n[streams]\n{STREAM} = ""\n')
        up = ["up", "--state", str(folder / "state"), "--config", str(config)]
        info = stack.enter_context(running(up))
        scene = Scene(folder, info, stack.enter_context(balor_server(folder)))
        stack.enter_context(scene.device_life)
        scene.start()
        for case, measure in CASES.items():
            if wanted and not any(word in case for word in wanted):
                continue
            load, took = os.getloadavg()[0], []
            for _ in range(_ROUNDS):
                took.append(measure(scene))
                print(f"{case}: {took[-1]:.2f} s", flush=True)
                scene.clean()
            rows.append((case, statistics.median(took), max(took), len(took), load))
    print("\n| what happened | median [s] | worst [s] | rounds | load |\n|---|---|---|---|---|")
    for case, median, worst, rounds, load in rows:
        print(f"| {case} | {median:.2f} | {worst:.2f} | {rounds} | {load:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
