"""Make the dark level of a camera from its raw frames, beside all that is done to them."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline.files.atomic import FileError
from pipeline.model.dark_request import FEWEST_DARKS, DarkRequest
from pipeline.photons.calibration import FIRST_FRAMES, CalibrationError, Calibrator
from pipeline.photons.calibration_file import write_numbered_calibration
from pipeline.photons.corrections import dark_digest
from pipeline.protocols import snapshot
from pipeline.protocols.batch import DarkFrame

logger = logging.getLogger(__name__)

_FIRST_BYTES = 400 << 20
"""The frames from which the median is taken need at most so much memory."""
_WAITING_BYTES = 1 << 30
"""A frame is left out, and a later one taken, when so many bytes wait."""


class DarkTaker:
    """Averages frames in a thread of its own, and writes the file."""

    def __init__(
        self, folder: Callable[[], str], on_change: Callable[[], None] = lambda: None
    ) -> None:
        """Begin without a request.

        Args:
            folder: where files are written; empty: nowhere.
            on_change: called when there is news, from any thread.
        """
        self._folder = folder
        self._on_change = on_change
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "femtomax-dark")
        self._request: DarkRequest | None = None
        self._calibrator = Calibrator()
        self._accepted = 0
        self._waiting = 0
        self._status = snapshot.Dark()

    @property
    def status(self) -> snapshot.Dark:
        """What came of the newest request so far."""
        return self._status

    def follow(self, request: DarkRequest | None) -> None:
        """Take up a request; what was begun for another one is dropped."""
        with self._lock:
            if request == self._request:
                return
            self._request = request
            self._accepted = 0
            if request is None:
                # What came of it stays to be read.
                return
            self._calibrator = Calibrator(FEWEST_DARKS)
            self._status = snapshot.Dark(
                request=request.identity, camera=request.stream, wanted=request.frames
            )
        self._on_change()

    def add_frame(self, frame: DarkFrame) -> None:
        """Take in a raw frame, when it is one that was asked for; does not wait."""
        size = frame.image.nbytes
        with self._lock:
            request = self._request
            if (
                request is None
                or frame.request != request.identity
                or self._accepted >= request.frames
                or self._waiting > _WAITING_BYTES
            ):
                return
            if self._accepted == 0:
                fits = max(FEWEST_DARKS, _FIRST_BYTES // max(size, 1))
                self._calibrator = Calibrator(min(request.frames, FIRST_FRAMES, fits))
            self._accepted += 1
            self._waiting += size
            self._thread.submit(self._take, request, self._calibrator, frame.image)

    def wait(self) -> None:
        """Wait until all frames so far are taken in."""
        self._thread.submit(lambda: None).result()

    def _take(self, request: DarkRequest, calibrator: Calibrator, image: NDArray[Any]) -> None:
        try:
            if request == self._request:
                self._add(request, calibrator, image)
        except Exception as error:
            logger.exception("the dark level could not be taken")
            self._give_up(request, f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._waiting -= image.nbytes
            self._on_change()

    def _add(self, request: DarkRequest, calibrator: Calibrator, image: NDArray[Any]) -> None:
        try:
            calibrator.add_frame(image)
            self._show(request, frames=calibrator.frames)
            if calibrator.frames == request.frames:
                file, digest = self._write(request, calibrator)
                self._show(request, file=str(file), sha256=digest)
        except (CalibrationError, FileError) as error:
            self._give_up(request, str(error))

    def _write(self, request: DarkRequest, calibrator: Calibrator) -> tuple[Path, str]:
        found = calibrator.result()
        folder = self._folder()
        if not folder:
            raise FileError("there is no folder for it: set OutputFolder, then take it again.")
        name = f"dark_{request.stream}_{datetime.now().astimezone():%Y%m%d-%H%M%S}.h5"
        path = Path(folder).absolute() / name
        return write_numbered_calibration(path, found), dark_digest(found)

    def _give_up(self, request: DarkRequest, reason: str) -> None:
        self._show(request, reason=f"No dark level of {request.stream} was taken: {reason}")

    def _show(self, request: DarkRequest, **changes: Any) -> None:
        with self._lock:
            if self._status.request == request.identity:
                self._status = replace(self._status, **changes)
