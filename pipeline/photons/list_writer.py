"""Bring the photons of a scan to disk in a thread of their own.

Nothing else waits for the disk: it may be slow, hang, or be full, and results go on.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons.list_file import FrameRow, PhotonFile
from pipeline.photons.list_path import PhotonFileError, PhotonFileGone
from pipeline.photons.list_resume import NO_FILE, Existing
from pipeline.protocols.batch import StartInfo

logger = logging.getLogger(__name__)

FLUSH_INTERVAL = 0.4
"""The file is written at most so often [s]; each time, all of it is on disk afterwards."""
_KEPT = (
    "_start",
    "_settings",
    "_existing",
    "_lost",
    "_durable",
    "_complete",
    "_closed",
    "path",
    "problem",
    "gone",
)
"""What the next process has to know."""
MAX_WAITING = 5_000_000
"""Photons that may wait for the disk; 85 MB."""


@dataclass(frozen=True)
class Waiting:
    """A frame that is not durable yet."""

    row: FrameRow
    since: float
    """Monotonic time [s]."""


class PhotonWriter:
    """Owns the photon file of a scan; one thread writes it, which nothing else shares.

    Its methods only take notes, and may be called from any thread.

    Args:
        start: the camera's header; it names the raw file.
        settings: in force at the start of the scan.
        clock: monotonic time [s].
        existing: file of the process before, which is continued.
    """

    def __init__(
        self,
        start: StartInfo,
        settings: Settings,
        clock: Callable[[], float],
        existing: Existing = NO_FILE,
    ) -> None:
        self._existing = existing
        self._start = start
        self._settings = settings
        self._clock = clock
        self._waiting: deque[Waiting] = deque()
        self._photons = 0
        """That wait."""
        self._lost: list[int] = []
        self._durable = FrameRanges()
        self._complete: bool | None = None
        """How the file is to be closed; None: the scan goes on."""
        self._closed: bool | None = None
        """How it was closed."""
        self._busy = False
        """The thread has been told to write."""
        self._flushed = -math.inf
        """Monotonic time [s] at which it last began."""
        self._changed = threading.Condition()
        self._hurry = threading.Event()
        self._file: PhotonFile | None = None
        self.path = ""
        """The file; empty before it stands."""
        self.problem = ""
        """Why nothing is written any more; empty when all is well."""
        self.gone = False
        """The file was deleted or moved: no frame is durable."""
        # Its thread ends with this object; when the interpreter ends, it first writes all there is.
        self._thread = ThreadPoolExecutor(1, "femtomax-photons")

    def expect(self, existing: Existing) -> None:
        """Continue a file of the process before, unless the file is known."""
        if not (self.path or self._existing.path):
            self._existing = existing

    def __getstate__(self) -> dict[str, Any]:
        with self._changed:
            kept = {name: self.__dict__[name] for name in _KEPT}
            return {**kept, "rows": [waiting.row for waiting in self._waiting]}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        rows = kept.pop("rows")
        path = kept["path"]
        existing = Existing(path) if path else kept["_existing"]
        self.__init__(kept["_start"], kept["_settings"], time.monotonic, existing)  # type: ignore[misc]
        self.__dict__.update(kept, _existing=existing)
        for row in rows:
            self._waiting.append(Waiting(row, self._clock()))
            self._photons += len(row.photons or ())

    @property
    def begun(self) -> bool:
        """True when there is a file, or will be."""
        return bool(self.path) or self._busy

    @property
    def settled(self) -> bool:
        """True when no file waits to be closed."""
        return bool(self.problem) or self._complete is None or not self._busy

    @property
    def oldest(self) -> Waiting | None:
        """The frame whose photons have waited longest to be durable."""
        with self._changed:
            return next((w for w in self._waiting if w.row.photons is not None), None)

    @property
    def durable(self) -> tuple[tuple[int, int], ...]:
        """First and last of each range of frames whose photons are on disk, as written."""
        with self._changed:
            return self._durable.as_tuple()

    def not_durable(self) -> list[int]:
        """Return the frames whose photons came and are not on disk, oldest first."""
        with self._changed:
            return self._lost + [w.row.frame for w in self._waiting if w.row.photons is not None]

    def add(self, row: FrameRow, at_once: bool) -> None:
        """Take a frame.

        Args:
            row: what came of it.
            at_once: False: it may wait for others, as long as there need not be a file.
        """
        with self._changed:
            photons = len(row.photons or ())
            if self._photons + photons > MAX_WAITING:
                self._fail(
                    f"{self._photons} photons wait for the disk: it is too slow. Photons are "
                    "counted but not written: check the disk, then start a new scan."
                )
            if self.problem:
                if row.photons is not None:
                    self._lost.append(row.frame)
                return
            self._waiting.append(Waiting(row, self._clock()))
            self._photons += photons
            if at_once or self.path:
                self._wake()

    def flush(self) -> None:
        """Make the file if there is none, and look whether it still stands."""
        with self._changed:
            if self._complete is None or self._waiting:
                self._wake()

    def close(self, complete: bool) -> None:
        """Close the file when all is written; a frame that comes later is written still.

        Args:
            complete: the scan has come to its end with all its frames.
        """
        with self._changed:
            self._complete = bool(self._complete) or complete
            if self._closed is not self._complete:
                self._hurry.set()
                self._wake()

    def wait(self, timeout: float) -> bool:
        """Wait until all that came is written, at most so long [s]; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, timeout)

    def _wake(self) -> None:
        if self._busy or self.problem:
            return
        self._busy = True
        try:
            self._thread.submit(self._work)
        except RuntimeError:
            # The interpreter ends, and all that had come was written.
            self._busy = False

    def _work(self) -> None:
        """Write until nothing is left; in the file's own thread."""
        while True:
            self._hurry.wait(max(0.0, self._flushed + FLUSH_INTERVAL - self._clock()))
            self._hurry.clear()
            self._flushed = self._clock()
            taken: list[FrameRow] = []
            complete = failed = None
            try:
                file = self._made()
                with self._changed:
                    taken = [waiting.row for waiting in self._waiting]
                    complete = self._complete
                self._write(file, taken, complete)
            except PhotonFileError as error:
                failed = error
            except Exception as error:
                logger.exception("photons could not be written")
                failed = PhotonFileError(
                    f"photons could not be written ({type(error).__name__}: {error}): they are "
                    "counted only; report it, then start a new scan."
                )
            with self._changed:
                if failed is not None:
                    self._fail(str(failed))
                if isinstance(failed, PhotonFileGone):
                    self.gone, self._durable = True, FrameRanges()
                if not self.problem:
                    self._note_written(taken, complete)
                if self.problem or (not self._waiting and self._closed is self._complete):
                    self._busy = False
                    self._changed.notify_all()
                    return

    def _made(self) -> PhotonFile:
        if self._file is None:
            self._file = PhotonFile(
                self._start.filename,
                self._start.stream,
                self._settings,
                existing=self._existing,
            )
            self.path = str(self._file.path)
        return self._file

    def _write(self, file: PhotonFile, rows: Sequence[FrameRow], complete: bool | None) -> None:
        if self.problem:
            file.abandon()
        elif rows:
            file.write(rows)
        elif complete is None:
            file.check()
        if complete is not None and not self.problem:
            file.close(complete)

    def _note_written(self, rows: Sequence[FrameRow], complete: bool | None) -> None:
        for row in rows:
            self._waiting.popleft()
            if row.photons is not None:
                self._photons -= len(row.photons)
                self._durable.add(row.frame)
        self._closed = complete

    def _fail(self, problem: str) -> None:
        """Write nothing any more; what waits is lost."""
        self.problem = self.problem or problem
        self._lost += [w.row.frame for w in self._waiting if w.row.photons is not None]
        self._waiting.clear()
        self._photons = 0
