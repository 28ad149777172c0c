"""Plays detector and Sardana in front of a running stack, and follows the scan through Tango."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import httpx
from numpy.typing import NDArray

from femtotango.simulation.detector_socket import PushSource
from femtotango.simulation.sardana_records import post_record
from femtotango.stack.errors import StackError
from femtotango.stack.tango_client import connect
from pipeline.protocols.sardana import SARDANA
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan, sardana_records

_POLL = 0.02
_LIMIT = 90.0
"""How long the analysis may take on a busy machine [s]."""


class ScanPlayer:
    """Client side of one stack: detectors, Sardana and a Tango client."""

    def __init__(self, info: dict[str, Any]) -> None:
        """Connect.

        Args:
            info: content of the ready file.
        """
        self.info = info
        self.device = connect(info["device"])
        self._exit = ExitStack()
        self._http = self._exit.enter_context(httpx.Client(trust_env=False))
        self._sources: dict[str, PushSource] = {}

    def __enter__(self) -> "ScanPlayer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exit.__exit__(kind, error, trace)

    def write(self, **attributes: Any) -> None:
        """Write attributes of the device."""
        for name, value in attributes.items():
            self.device.write_attribute(name, value)

    def read(self, name: str) -> Any:
        """Read one attribute of the device; None when it is INVALID."""
        return self.device.read_attribute(name).value

    def prepare(self, streams: str | Sequence[str], scan: BurstScan, records: bool = True) -> None:
        """Call PrepareScan for one camera, or several."""
        cameras = [streams] if isinstance(streams, str) else list(streams)
        streams = [*cameras, *([SARDANA] if records else [])]
        request = {"streams": streams, "steps": scan.steps, "burst": scan.burst}
        self.device.PrepareScan(json.dumps(request))

    def play(
        self,
        stream: str,
        images: Iterable[NDArray[Any]],
        scan: BurstScan,
        *,
        records: bool = True,
        only: int | None = None,
        filename: str = "",
        camera: dict[str, Any] | None = None,
        compression: str = "none",
        rate: float = 0.0,
        sent: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Send one scan's frames, and its records between them.

        Args:
            stream: name of the camera's stream.
            images: one per frame of the scan.
            scan: steps and burst.
            records: post Sardana's records too.
            only: stop after so many frames, as a detector that was halted; nothing is sent after.
            filename: raw file in the header.
            camera: second part of the header.
            compression: of the frames.
            rate: frames per second; 0: as fast as they are taken.
            sent: told the number of frames sent so far.
        """
        self.play_together(
            {stream: images},
            scan,
            records=records,
            only={} if only is None else {stream: only},
            filename=filename,
            camera=camera,
            compression=compression,
            rate=rate,
            sent=sent,
        )

    def play_together(
        self,
        images: Mapping[str, Iterable[NDArray[Any] | None]],
        scan: BurstScan,
        *,
        records: bool = True,
        only: Mapping[str, int] | None = None,
        filename: str = "",
        camera: dict[str, Any] | None = None,
        compression: str = "none",
        rate: float = 0.0,
        sent: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Send the frames of several cameras that see the same shots, and records between them.

        Args:
            images: by stream, one per shot; None: the camera loses the frame of this shot.
            scan: steps and burst.
            records: post Sardana's records too.
            only: frames after which a camera dies, by stream; nothing comes of it after. When all
                have died, nothing comes of Sardana either.
            filename: raw file in the headers.
            camera: second part of the headers.
            compression: of the frames.
            rate: shots per second; 0: as fast as they are taken.
            sent: told the number of shots so far.
        """
        ends = only or {}
        messages = sardana_records(scan) if records else []
        if records:
            post_record(self._http, self.info["sardana"], messages[0])
        for stream in images:
            self.source(stream).send([stins_header(0, filename, camera)])
        start = time.monotonic()
        number = 0
        for shot in zip(*images.values(), strict=False):
            alive = [stream for stream in images if ends.get(stream, number + 1) > number]
            if not alive:
                return
            if rate > 0:
                time.sleep(max(0.0, start + number / rate - time.monotonic()))
            for stream, image in zip(images, shot, strict=True):
                if image is not None and stream in alive:
                    message = stins_image(number + 1, number, image, compression)
                    self.source(stream).send([message])
            number += 1
            sent(number)
            if records and number % scan.burst == 0:
                post_record(self._http, self.info["sardana"], messages[number // scan.burst])
        alive = [stream for stream in images if stream not in ends]
        for stream in alive:
            self.source(stream).send([stins_end(number + 1)])
        if records and alive:
            post_record(self._http, self.info["sardana"], messages[-1])

    def wait_finished(self, limit: float = _LIMIT) -> None:
        """Wait until all results of the scan are readable.

        Raises:
            StackError: they are not in time.
        """
        self.wait_until("ScanFinished", lambda finished: bool(finished), limit)

    def wait_until(self, name: str, good: Callable[[Any], bool], limit: float = _LIMIT) -> Any:
        """Read an attribute again and again until its value is good, and return that.

        Raises:
            StackError: it is not in time.
        """
        deadline = time.monotonic() + limit
        while True:
            value = self.read(name)
            if good(value):
                return value
            if time.monotonic() > deadline:
                raise StackError(f"{name} is {value!r} after {limit:.0f} s. {self.device.status()}")
            time.sleep(_POLL)

    def source(self, stream: str) -> PushSource:
        """Return the detector's socket of a stream, which stays bound."""
        if stream not in self._sources:
            source = PushSource(self.info["streams"][stream])
            self._sources[stream] = self._exit.enter_context(source)
        return self._sources[stream]
