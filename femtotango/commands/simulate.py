"""`femtotango simulate`: simulated detectors, Sardana, or Tango device of the Balor."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath

import httpx
import tango
from rich.console import Console
from rich.progress import Progress

from femtotango.ready_file import ReadyFileError, read_ready_file
from femtotango.simulation.balor_device import run_balor_device
from femtotango.simulation.detector_socket import PushSource, send_together
from femtotango.simulation.sardana_records import ScanRecords, post_record
from femtotango.stack.config import MAX_PORT, check_stream_url
from femtotango.stack.errors import ConfigError
from femtotango.stack.tango_client import connect
from pipeline.model.cameras import CAMERAS
from pipeline.protocols.sardana import SARDANA
from pipeline.protocols.stins import COMPRESSIONS, Message, stins_end, stins_series
from pipeline.simulation.pilatus import POLARIZATION
from pipeline.simulation.scan import BurstScan, detector_frames, sardana_records

BALOR_DEVICE = "balor-device"
_END_PATIENCE = 5.0
"""How long the end of a series that was interrupted may wait [s]."""
STREAMS = (*CAMERAS, SARDANA, BALOR_DEVICE)


@dataclass(frozen=True)
class Simulation:
    """What to send, and how."""

    streams: tuple[str, ...]
    """Cameras that see the same shots, with or without Sardana; or one alone."""
    urls: tuple[str, ...]
    """Where each of them sends, in the same order."""
    scan: BurstScan
    rate: float = 10.0
    """Shots per second; 0: as fast as the pipeline takes them."""
    filename: str = ""
    compression: str = "none"
    seed: int = 0
    polarization: float = POLARIZATION
    """Of the beam that the Pilatus sees: 1 horizontal, 0 none, -1 vertical."""

    def __post_init__(self) -> None:
        for stream in self.streams:
            if stream not in STREAMS:
                raise ConfigError(f"Stream {stream!r}: use {', '.join(STREAMS)}.")
            if self.streams.count(stream) > 1:
                raise ConfigError(f"Stream {stream!r}: it is named twice.")
        if len(self.streams) > 1 and BALOR_DEVICE in self.streams:
            raise ConfigError(f"{BALOR_DEVICE} runs alone, in a terminal of its own.")
        if len(self.urls or ("",)) != len(self.streams):
            raise ConfigError(
                f"{len(self.streams)} streams and {len(self.urls)} --url: give one --url for each "
                "stream, in the same order."
            )
        if self.scan.steps < 1 or self.scan.burst < 1:
            raise ConfigError(
                f"{self.scan.steps} steps of {self.scan.burst} frames: at least 1 of each is "
                "needed."
            )
        if not 0 <= self.rate < math.inf:
            raise ConfigError(f"rate {self.rate}: give frames per second, or 0 for no pauses.")
        if self.compression not in COMPRESSIONS:
            raise ConfigError(f"compression {self.compression!r}: use {' or '.join(COMPRESSIONS)}.")
        if not 0 <= self.scan.fluctuation <= 1:
            raise ConfigError(
                f"fluctuation {self.scan.fluctuation}: give 0 … 1, the standard deviation of the "
                "shots' strengths."
            )
        if not -1 <= self.polarization <= 1:
            raise ConfigError(
                f"polarization {self.polarization}: give -1 … 1; 1 is horizontal, 0 none."
            )
        if self.seed < 0:
            raise ConfigError(f"seed {self.seed}: give 0 or a larger number.")

    @property
    def url_of(self) -> dict[str, str]:
        """Where each stream sends; empty: it was not told."""
        return dict(zip(self.streams, self.urls or ("",), strict=True))


def simulate(simulation: Simulation, console: Console) -> None:
    """Send one series of each camera, or the records of one scan, or run the Balor's device.

    Raises:
        ConfigError: a URL does not fit its stream.
        PortError: a URL cannot be bound.
        StackError: nothing connects to receive the frames.
    """
    if BALOR_DEVICE in simulation.streams:
        run_balor_device(_port(simulation.url_of[BALOR_DEVICE]))
    elif simulation.streams == (SARDANA,):
        send_records(simulation, console)
    else:
        send_frames(simulation, console)


def prepare(ready_file: Path, streams: Sequence[str], scan: BurstScan) -> tuple[str, ...]:
    """Call PrepareScan of a running stack when Sardana is among the streams.

    Without Sardana, frames go into continuous mode, or into a scan that somebody else prepared.

    Args:
        ready_file: of `femtotango up`.
        streams: that are simulated.
        scan: steps and burst.

    Returns:
        Where each stream sends.

    Raises:
        ConfigError: the stack is not ready, takes nothing of a stream, or refuses the scan.
        PortError: another detector sends in the place of a camera.
    """
    try:
        ready = read_ready_file(ready_file)
        there = {stream: ready.address_of(stream) for stream in streams}
    except ReadyFileError as error:
        raise ConfigError(str(error)) from error
    if SARDANA in streams:
        for stream in streams:
            if stream in CAMERAS:
                # A scan that is prepared for nobody would have to be stopped.
                PushSource(there[stream]).close()
        request = {"streams": list(streams), "steps": scan.steps, "burst": scan.burst}
        try:
            connect(ready.device).PrepareScan(json.dumps(request))
        except tango.DevFailed as error:
            raise ConfigError(str(error.args[0].desc).strip()) from error
    return tuple(there[stream] for stream in streams)


def _port(url: str) -> int:
    if not url:
        return 0
    check_stream_url(url, "url")
    return int(url.rpartition(":")[2])


def series(simulation: Simulation, stream: str) -> Iterator[Message]:
    """Return the messages of one series of a camera."""
    scan = simulation.scan
    images = detector_frames(
        stream, simulation.seed, scan.frame_positions, scan.strengths, simulation.polarization
    )
    camera = {"energy": 8048, "threshold": 0, "save_raw": bool(simulation.filename)}
    return stins_series(images, _raw_file(simulation, stream), camera, simulation.compression)


def _raw_file(simulation: Simulation, stream: str) -> str:
    """Return what the header names: each of several cameras has a file of its own."""
    if not simulation.filename or len(simulation.streams) == 1:
        return simulation.filename
    path = PurePath(simulation.filename)
    return str(path.with_name(f"{path.stem}_{stream}{path.suffix}"))


def send_frames(simulation: Simulation, console: Console) -> None:
    """Bind the PUSH sockets and send one series of each camera, shot by shot, as detectors do.

    Records of Sardana follow the frames of each point.
    """
    urls = simulation.url_of
    cameras = [stream for stream in simulation.streams if stream != SARDANA]
    for stream in cameras:
        check_stream_url(urls[stream], "url")
    with ExitStack() as stack:
        post = _nothing
        if SARDANA in urls:
            check_web_url(urls[SARDANA])
            client = stack.enter_context(httpx.Client(trust_env=False))
            records = ScanRecords(client, urls[SARDANA], simulation.scan)
            post = records.after_shot
        progress = stack.enter_context(Progress(console=console))
        total = len(simulation.scan.frame_positions) + 2
        text = ", ".join(f"{stream} to {urls[stream]}" for stream in cameras)
        task = progress.add_task(text, total=total)

        done = 0

        def sent(messages: int) -> None:
            nonlocal done
            done = messages
            progress.update(task, completed=messages)
            post(messages)

        sources = {stream: stack.enter_context(PushSource(urls[stream])) for stream in cameras}
        all_series = {stream: series(simulation, stream) for stream in cameras}
        try:
            send_together(sources, all_series, simulation.rate, sent)
        except KeyboardInterrupt:
            # A camera that is stopped ends its series: the next one would go on with it.
            for source in sources.values():
                source.send([stins_end(done)], patience=_END_PATIENCE)
                source.close(_END_PATIENCE)
            raise


def _nothing(messages: int) -> None:
    """Do what is done after a shot without Sardana."""


def send_records(simulation: Simulation, console: Console) -> None:
    """Post the records of a scan to a Sardana ingester, as fast as the frames come."""
    url = simulation.url_of[SARDANA]
    check_web_url(url)
    pause = simulation.scan.burst / simulation.rate if simulation.rate > 0 else 0.0
    with httpx.Client(trust_env=False) as client, Progress(console=console) as progress:
        records = sardana_records(simulation.scan)
        for record in progress.track(records, description=f"{SARDANA} to {url}"):
            if record["type"] == "RecordData":
                time.sleep(pause)
            post_record(client, url, record)


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
