"""`femtotango simulate`: a simulated detector, Sardana, or Tango device of the Balor."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from rich.console import Console
from rich.progress import Progress

from femtotango.simulation.balor_device import run_balor_device
from femtotango.simulation.detector_socket import PushSource
from femtotango.simulation.sardana_records import post_record
from femtotango.stack.config import MAX_PORT, check_stream_url
from femtotango.stack.errors import ConfigError
from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import SARDANA
from pipeline.protocols.stins import COMPRESSIONS, Message, stins_series
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

    def __post_init__(self) -> None:
        if self.stream not in STREAMS:
            raise ConfigError(f"Stream {self.stream!r}: use {', '.join(STREAMS)}.")
        if self.scan.steps < 1 or self.scan.burst < 1:
            raise ConfigError(
                f"{self.scan.steps} steps of {self.scan.burst} frames: at least 1 of each is "
                "needed."
            )
        if not 0 <= self.rate < math.inf:
            raise ConfigError(f"rate {self.rate}: give frames per second, or 0 for no pauses.")
        if self.compression not in COMPRESSIONS:
            raise ConfigError(f"compression {self.compression!r}: use {' or '.join(COMPRESSIONS)}.")
        if self.seed < 0:
            raise ConfigError(f"seed {self.seed}: give 0 or a larger number.")


def simulate(simulation: Simulation, console: Console) -> None:
    """Send one series of frames, or the records of one scan, or run the Balor's device.

    Raises:
        ConfigError: the URL does not fit the stream.
        PortError: the URL cannot be bound.
        StackError: nothing connects to receive the frames.
    """
    if simulation.stream == BALOR_DEVICE:
        run_balor_device(_port(simulation.url))
    elif simulation.stream == SARDANA:
        send_records(simulation, console)
    else:
        send_frames(simulation, console)


def _port(url: str) -> int:
    if not url:
        return 0
    check_stream_url(url, "url")
    return int(url.rpartition(":")[2])


def series(simulation: Simulation) -> Iterator[Message]:
    """Return the messages of one series of a camera."""
    images = detector_frames(simulation.stream, simulation.seed, simulation.scan.frame_positions)
    camera = {"energy": 8048, "threshold": 0, "save_raw": bool(simulation.filename)}
    return stins_series(images, simulation.filename, camera, simulation.compression)


def send_frames(simulation: Simulation, console: Console) -> None:
    """Bind a PUSH socket and send one series, as a detector does."""
    check_stream_url(simulation.url, "url")
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
    check_web_url(simulation.url)
    pause = simulation.scan.burst / simulation.rate if simulation.rate > 0 else 0.0
    with httpx.Client(trust_env=False) as client, Progress(console=console) as progress:
        records = sardana_records(simulation.scan)
        for record in progress.track(records, description=f"{SARDANA} to {simulation.url}"):
            if record["type"] == "RecordData":
                time.sleep(pause)
            post_record(client, simulation.url, record)


def check_web_url(text: str) -> None:
    """Check the address of a Sardana ingester.

    Raises:
        ConfigError: it is no address of HTTP.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > MAX_PORT:
        raise ConfigError(f"url {text[:80]!r}: a Sardana ingester listens at http://HOST:PORT.")
