"""`femtotango simulate`: a simulated detector, Sardana, or Tango device of the Balor."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from rich.console import Console
from rich.progress import Progress

from femtotango.simulation.balor_device import run_balor_device
from femtotango.simulation.detector_socket import PushSource
from femtotango.simulation.sardana_records import post_record
from femtotango.stack.errors import ConfigError
from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import SARDANA
from pipeline.protocols.stins import Message, stins_series
from pipeline.simulation.scan import BurstScan, detector_frames, sardana_records

BALOR_DEVICE = "balor-device"
STREAMS = (*CAMERAS, SARDANA, BALOR_DEVICE)


@dataclass(frozen=True)
class Simulation:
    """What to send, and how."""

    stream: str
    url: str
    scan: BurstScan
    rate: float = 10.0
    """Frames per second; 0: as fast as the pipeline takes them."""
    filename: str = ""
    compression: str = "none"
    seed: int = 0


def simulate(simulation: Simulation, console: Console) -> None:
    """Send one series of frames, or the records of one scan, or run the Balor's device.

    Raises:
        ConfigError: there is no such stream, or the URL does not fit it.
        PortError: the URL cannot be bound.
        StackError: nothing connects to receive the frames.
    """
    if simulation.stream not in STREAMS:
        raise ConfigError(f"Stream {simulation.stream!r}: use {', '.join(STREAMS)}.")
    if simulation.stream == BALOR_DEVICE:
        run_balor_device(_port(simulation.url))
    elif simulation.stream == SARDANA:
        send_records(simulation, console)
    else:
        send_frames(simulation, console)


def _port(url: str) -> int:
    port = url.rpartition(":")[2]
    if url and not port.isdigit():
        raise ConfigError(f"url {url!r}: give tcp://127.0.0.1:PORT, or nothing for any port.")
    return int(port or 0)


def series(simulation: Simulation) -> Iterator[Message]:
    """Return the messages of one series of a camera."""
    images = detector_frames(simulation.stream, simulation.seed, simulation.scan.frame_positions)
    camera = {"energy": 8048, "threshold": 0, "save_raw": bool(simulation.filename)}
    return stins_series(images, simulation.filename, camera, simulation.compression)


def send_frames(simulation: Simulation, console: Console) -> None:
    """Bind a PUSH socket and send one series, as a detector does."""
    if not simulation.url.startswith("tcp://"):
        raise ConfigError(f"url {simulation.url!r}: a detector binds at tcp://HOST:PORT.")
    total = len(simulation.scan.frame_positions) + 2
    with PushSource(simulation.url) as source, Progress(console=console) as progress:
        task = progress.add_task(f"{simulation.stream} to {simulation.url}", total=total)
        source.send(
            series(simulation),
            simulation.rate,
            lambda number: progress.update(task, completed=number),
        )


def send_records(simulation: Simulation, console: Console) -> None:
    """Post the records of a scan to a Sardana ingester, as fast as the frames come."""
    if not simulation.url.startswith("http"):
        raise ConfigError(
            f"url {simulation.url!r}: a Sardana ingester listens at http://HOST:PORT."
        )
    pause = simulation.scan.burst / simulation.rate if simulation.rate > 0 else 0.0
    with httpx.Client(trust_env=False) as client, Progress(console=console) as progress:
        records = sardana_records(simulation.scan)
        for record in progress.track(records, description=f"{SARDANA} to {simulation.url}"):
            if record["type"] == "RecordData":
                time.sleep(pause)
            post_record(client, simulation.url, record)
