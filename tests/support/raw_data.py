"""A Balor that sends photons until it is told to stop, and parts of the pipeline that hang."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import psutil
import tango
from numpy.typing import NDArray
from support import killing
from support.stack_parts import SIGNS, sign_of
from support.waiting import wait_for
from tango import DevState

from femtotango.simulation.beamline import ScanPlayer
from femtotango.simulation.detector_socket import PushSource
from femtotango.stack.errors import StackError
from pipeline.protocols.stins import Message, stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan

STREAM = "andor3_balor"
SHAPE = (256, 256)
MANY = 100_000
"""More frames than any test waits for."""
ROI = '{"x": 0, "y": 0, "width": 256, "height": 256}'
PARTS = {
    "controller": SIGNS["controller"],
    "reducer": SIGNS["reducer"],
    "worker": sign_of("worker1"),
    "ingester": sign_of(STREAM),
    "redis": SIGNS["redis"],
}
"""What the command line of each part has."""
_CLOUD = np.array([[60, 120, 60], [120, 480, 120], [60, 120, 60]])


def photon_frame(times: int = 1) -> NDArray[np.uint16]:
    """Return a frame with 25 photons of 1200 ADU; `times` of them in one place each."""
    frame = np.full(SHAPE, 100, np.uint16)
    for y in range(20, 240, 45):
        for x in range(20, 240, 45):
            frame[y - 1 : y + 2, x - 1 : x + 2] += (times * _CLOUD).astype(np.uint16)
    return frame


class Series:
    """One series of the camera, sent by a thread of its own; leaving the block ends the sending."""

    def __init__(
        self,
        source: PushSource,
        path: Path | str,
        rate: float = 10.0,
        frames: int | None = None,
        camera: dict[str, Any] | None = None,
    ) -> None:
        """Keep the parts.

        Args:
            source: the camera's socket.
            path: raw file in the header.
            rate: frames per second.
            frames: number of them, then the series ends; None: until `end` is called.
            camera: second part of the header.
        """
        self._source = source
        self._path, self._rate, self._frames, self._camera = str(path), rate, frames, camera
        self.image = photon_frame()
        self.sent = 0
        """Frames."""
        self._stop = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> "Series":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def end(self) -> None:
        """Send the end of the series, as the camera does when it is done."""
        self._end.set()
        self._stop.set()
        self._thread.join()

    def _send(self) -> None:
        self._push(stins_header(0, self._path, self._camera))
        begin = time.monotonic()
        while not self._stop.is_set() and self.sent != self._frames:
            self._push(stins_image(self.sent + 1, self.sent, self.image))
            self.sent += 1
            self._stop.wait(max(0.0, begin + self.sent / self._rate - time.monotonic()))
        if self._end.is_set() or self.sent == self._frames:
            self._push(stins_end(self.sent + 1))

    def _push(self, message: Message) -> None:
        """Send a message as soon as somebody takes it; after a scan was stopped nobody may."""
        while True:
            try:
                self._source.send([message], patience=0.0)
            except StackError:
                if self._stop.is_set() and not self._end.is_set():
                    return
            else:
                return


def prepare(player: ScanPlayer, frames: int) -> None:
    """Prepare a scan of the camera alone."""
    wait_for(lambda: player.device.state() != tango.DevState.UNKNOWN, player.device.status)
    player.write(PhotonRoi=ROI)
    player.prepare(STREAM, BurstScan(steps=1, burst=frames), records=False)


def drop_raw_data(device: Any) -> None:
    """Switch raw saving off as soon as that is permitted, as a macro does."""
    said = [""]

    def permitted() -> bool:
        try:
            device.SaveRaw = False
        except tango.DevFailed as error:
            said[0] = error.args[0].desc
            return False
        return True

    wait_for(permitted, lambda: said[0])


def processes(info: dict[str, Any], part: str) -> list[psutil.Process]:
    """Return the processes of a part of a stack."""
    lines = killing.processes(info)
    found = [psutil.Process(pid) for pid, line in lines.items() if PARTS[part] in line]
    assert found, f"no process of the {part} is running"
    return found


@contextmanager
def halted(info: dict[str, Any], part: str) -> Iterator[None]:
    """Stop a part with SIGSTOP, as something that hangs, until the block is left."""
    stopped = processes(info, part)
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)


def saved_again(player: ScanPlayer, camera: Any) -> None:
    """Wait until raw data are saved and the alarm says why."""
    device = player.device
    wait_for(lambda: camera.SaveRaw, device.status)
    wait_for(lambda: "SaveRaw was switched on" in device.status(), device.status)
    wait_for(lambda: device.state() == DevState.ALARM, device.status)
