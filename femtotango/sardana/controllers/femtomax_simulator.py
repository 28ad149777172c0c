"""A simulated camera: sends frames to the pipeline at every point, as a detector does."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import zmq
from sardana import State
from sardana.pool.controller import CounterTimerController, DefaultValue, Description, Type

from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import detector_frames

_CONNECT_LIMIT = 5_000
"""The longest that the pipeline may take to connect [ms]."""
_LINGER = 1_000
"""[ms]"""


class FemtomaxSimulatorController(CounterTimerController):
    """Bind the ZMQ socket of a stream and send one series of frames per scan.

    The channel's value is the number of frames sent in the series. The intensity has a peak in
    the middle of the scan.
    """

    gender = "Simulation"
    model = "STINS camera"
    organization = "MAX IV"
    MaxDevice = 1

    ctrl_properties: ClassVar[Any] = {
        "Stream": {Type: str, Description: "Stream of the camera, such as pilatus"},
        "Address": {Type: str, Description: "Where it binds its ZMQ PUSH socket"},
        "FramesPerPoint": {Type: int, DefaultValue: 1, Description: "Frames of each point"},
        "RawFolder": {
            Type: str,
            DefaultValue: "",
            Description: "Folder of the raw files that the headers name; empty: live viewing",
        },
    }

    Stream: str
    Address: str
    FramesPerPoint: int
    RawFolder: str

    def __init__(self, inst: str, props: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        CounterTimerController.__init__(self, inst, props, *args, **kwargs)
        self._socket: zmq.Socket[bytes] | None = None
        self._exposure = 0.0
        self._frames_per_point = self.FramesPerPoint
        self._points = 1
        self._point = 0
        self._sent = 0
        self._messages = 0
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._in_series = False
        self._problem = ""
        self._frames = detector_frames(self.Stream, 0, self._positions())

    def _positions(self) -> Iterator[float]:
        """Yield the simulated motor position: from 1 to 2 over the scan."""
        while True:
            yield 1.0 + self._point / max(1, self._points - 1)

    def AddDevice(self, axis: int) -> None:
        """Bind the socket."""
        socket = zmq.Context.instance().socket(zmq.PUSH)
        socket.set(zmq.LINGER, _LINGER)
        socket.set(zmq.SNDTIMEO, _CONNECT_LIMIT)
        socket.bind(self.Address)
        self._socket = socket

    def DeleteDevice(self, axis: int) -> None:
        """Release the address."""
        self._end()
        if self._socket is not None:
            self._socket.close()

    def PrepareOne(
        self, axis: int, value: float, repetitions: int, latency: float, nb_starts: int
    ) -> None:
        """Start a series."""
        self._end()
        self._points, self._point = nb_starts, 0
        self._sent = self._messages = 0
        self._problem = ""
        name = f"{self.Stream}-{time.strftime('%Y%m%dT%H%M%S')}.h5"
        filename = str(Path(self.RawFolder) / name) if self.RawFolder else ""
        self._in_series = self._send(stins_header(0, filename))

    def LoadOne(self, axis: int, value: float, repetitions: int, latency: float) -> None:
        """Note the time of a point [s]; minus a number asks for so many frames instead."""
        self._exposure = max(0.0, value)
        self._frames_per_point = int(-value) if value < 0 else self.FramesPerPoint

    def StartOne(self, axis: int, value: float) -> None:
        """Do nothing: `StartAll` starts everything together."""

    def StartAll(self) -> None:
        """Send the frames of a point."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._send_point, daemon=True)
        self._thread.start()

    def _send_point(self) -> None:
        pause = self._exposure / self._frames_per_point
        for _ in range(self._frames_per_point):
            if self._stop.wait(pause) or not self._in_series:
                return
            image = next(self._frames)
            if not self._send(stins_image(self._messages, self._sent, image)):
                # Nobody takes the rest either: each frame would cost the time-out.
                self._in_series = False
                return
            self._sent += 1
        self._point += 1
        if self._point == self._points:
            self._in_series = not self._send(stins_end(self._messages))

    def _send(self, parts: list[bytes]) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.send_multipart(parts)
        except zmq.Again:
            self._problem = f"nothing takes frames at {self.Address}: was the scan prepared?"
            self._log.warning(self._problem)
            return False
        self._messages += 1
        return True

    def StateOne(self, axis: int) -> tuple[Any, str]:
        """Return MOVING while frames are sent."""
        if self._thread is not None and self._thread.is_alive():
            return State.Moving, "sending frames"
        return State.On, self._problem or "ready"

    def ReadOne(self, axis: int) -> float:
        """Return the number of frames sent in this series."""
        return float(self._sent)

    def AbortOne(self, axis: int) -> None:
        """End the series."""
        self._end()

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._in_series:
            self._in_series = not self._send(stins_end(self._messages))
