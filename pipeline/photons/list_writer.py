"""Bring the photons of a scan to disk in a thread of their own.

Nothing else waits for the disk: it may be slow, hang, or be full, and results go on. The thread
looks after its file by itself, so that nobody who is busy can keep it from seeing that it is gone.
"""

import logging
import math
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.photons.frame_safety import FileFacts, FileState
from pipeline.photons.list_columns import FrameRow
from pipeline.photons.list_file import PhotonFile
from pipeline.photons.list_path import PhotonFileError, PhotonFileGone
from pipeline.photons.list_resume import NO_FILE, Existing
from pipeline.protocols.batch import StartInfo

logger = logging.getLogger(__name__)

FLUSH_INTERVAL = 0.4
"""The file is written, or looked at, so often [s]; each time, all of it is on disk afterwards."""
_KEPT = (
    "_start",
    "_settings",
    "_existing",
    "_complete",
    "_closed",
    "_found",
    "_lost",
    "path",
    "problem",
    "_gone",
)
"""What the next process has to know, beside the frames."""
MAX_WAITING = 5_000_000
"""Photons that may wait for the disk; 85 MB."""


class PhotonWriter:
    """Owns the photon file of a scan; one thread writes it, which nothing else shares.

    Its methods only take notes, and may be called from any thread. From `begin` until the file is
    closed, the thread takes a turn every `FLUSH_INTERVAL`.

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
        self._waiting: deque[FrameRow] = deque()
        self._photons = 0
        """That wait."""
        self._durable = FrameRanges()
        self._claimed = FrameRanges()
        """Frames that were durable for the process before."""
        self._found = FrameRanges()
        """Frames that it wrote, as the file shows."""
        self._lost = FrameRanges()
        """Frames that it claimed, and are not in the file."""
        self._unread = False
        """It was writing the file, which is not continued yet."""
        self._complete: bool | None = None
        """How the file is to be closed; None: the scan goes on."""
        self._closed: bool | None = None
        """How it was closed."""
        self._turning = False
        """The thread takes turns."""
        self._asked = self._answered = 0
        """Turns that somebody wants, and has got."""
        self._flushed = -math.inf
        """When the newest turn began, monotonic [s]."""
        self._seen = -math.inf
        """When the file was last seen to stand; before, when it was first wanted."""
        self._changed = threading.Condition()
        self._hurry = threading.Event()
        self._file: PhotonFile | None = None
        self.path = ""
        """The file; empty before it stands."""
        self.problem = ""
        """Why nothing is written any more; empty when all is well."""
        self._gone = False
        # Its thread ends with this object; when the interpreter ends, it first writes all there is.
        self._thread = ThreadPoolExecutor(1, "femtomax-photons")

    def expect(self, existing: Existing) -> None:
        """Continue a file of the process before, unless the file is known."""
        if not (self.path or self._existing.path):
            self._existing = existing

    def __getstate__(self) -> dict[str, Any]:
        with self._changed:
            return {
                **{name: self.__dict__[name] for name in _KEPT},
                "durable": (self.unread or self._durable).copy(),
                "rows": list(self._waiting),
                "unread": self._turning or self._unread,
            }

    def __setstate__(self, kept: dict[str, Any]) -> None:
        durable, rows, unread = kept.pop("durable"), kept.pop("rows"), kept.pop("unread")
        path = kept["path"]
        existing = Existing(path) if path else kept["_existing"]
        self.__init__(kept["_start"], kept["_settings"], time.monotonic, existing)  # type: ignore[misc]
        self.__dict__.update(kept, _existing=existing)
        self._claimed, self._unread = durable, unread and not self.problem
        # What the process before says of a file that it was writing is not believed unread.
        self._durable = FrameRanges() if self._unread else durable.copy()
        self._waiting.extend(rows)
        self._photons = sum(len(row.photons or ()) for row in rows)

    @property
    def unread(self) -> FrameRanges:
        """Frames that the process before had written, in a file that is not continued yet."""
        return self._claimed if self._unread and not self.problem else FrameRanges()

    def go_on(self) -> None:
        """Continue the file that the process before was writing."""
        with self._changed:
            if self._unread or self._waiting:
                self._begin()

    @property
    def begun(self) -> bool:
        """True when there is a file, or will be."""
        return bool(self.path) or self._turning or self._unread

    @property
    def settled(self) -> bool:
        """True when no file waits to be closed."""
        with self._changed:
            return bool(self.problem) or self._complete is None or not self._busy()

    @property
    def durable(self) -> tuple[tuple[int, int], ...]:
        """First and last of each range of frames whose photons are on disk, as written."""
        with self._changed:
            return self._durable.as_tuple()

    @property
    def facts(self) -> FileFacts:
        """How the file stands."""
        with self._changed:
            state = FileState.FAILED if self.problem else FileState.WRITING
            return FileFacts(
                state=FileState.GONE if self._gone else state,
                path=self.path,
                problem=self.problem,
                durable=self._durable.copy(),
                found=self._found,
                lost=self._lost,
                seen=self._seen if self._turning else None,
            )

    def begin(self) -> None:
        """Make the file, and look after it from now on."""
        with self._changed:
            self._begin()

    def add(self, row: FrameRow) -> None:
        """Take what came of a frame."""
        with self._changed:
            photons = len(row.photons or ())
            if self._photons + photons > MAX_WAITING:
                self._fail(
                    f"{self._photons} photons wait for the disk: it is too slow. Photons are "
                    "counted but not written: check the disk, then start a new scan."
                )
            if self.problem:
                return
            self._waiting.append(row)
            self._photons += photons
            self._begin()

    def flush(self) -> None:
        """Write what has come, and look at the file, once more; `wait` tells when it is done."""
        with self._changed:
            if self._complete is None or self._waiting:
                self._asked += 1
                self._begin()

    def close(self, complete: bool) -> None:
        """Close the file when all is written; a frame that comes later is written still.

        Args:
            complete: the scan has come to its end with all its frames.
        """
        with self._changed:
            self._complete = bool(self._complete) or complete
            if self._closed is not self._complete:
                self._hurry.set()
                self._begin()

    def make_room(self, timeout: float) -> None:
        """Wait while half of the photons that may wait for the disk do, at most so long [s]."""
        room = MAX_WAITING // 2
        with self._changed:
            if self._turning and self._photons > room:
                self._hurry.set()
                self._changed.wait_for(lambda: self._photons <= room, timeout)

    def wait(self, timeout: float) -> bool:
        """Wait until all that came is written, at most so long [s]; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy(), timeout)

    def _busy(self) -> bool:
        unclosed = self._closed is not self._complete
        return self._turning and (
            bool(self._waiting) or unclosed or self._answered < self._asked or not self.path
        )

    def _begin(self) -> None:
        if not self._turning and not self.problem:
            self._turning = True
            self._seen = self._clock()
            self._plan_turn()

    def _plan_turn(self) -> None:
        """Let the thread take the next turn when it is time."""
        pause = max(0.0, self._flushed + FLUSH_INTERVAL - self._clock())
        # A file that only is looked at must not keep its owner alive.
        writer = (lambda: self) if self._busy() else weakref.ref(self)
        try:
            self._thread.submit(_take_turn, writer, self._hurry, pause)
        except RuntimeError:
            # The interpreter ends.
            self._turning = False

    def take_turn(self) -> None:
        """Write what waits, or look whether the file stands; in the file's own thread."""
        self._flushed = self._clock()
        taken: list[FrameRow] = []
        complete = failed = None
        with self._changed:
            asked = self._asked
        try:
            file = self._made()
            with self._changed:
                taken = list(self._waiting)
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
                self._gone, self._durable, self._found = True, FrameRanges(), FrameRanges()
            if not self.problem:
                self._note_written(taken, complete)
                self._answered = asked
                self._seen = self._clock()
            if self.problem or (self._complete is not None and not self._busy()):
                self._turning = False
            else:
                self._plan_turn()
            left = bool(self._waiting) and not self._turning
            self._changed.notify_all()
        if left:
            self.take_turn()

    def _made(self) -> PhotonFile:
        if self._file is None:
            start = self._start
            self._file = PhotonFile(start.filename, start.stream, self._settings, self._existing)
            with self._changed:
                self.path = str(self._file.path)
                self._found = self._file.found
                self._durable = self._found.copy()
                self._lost = self._lost.union(self._claimed.difference(self._found))
                self._unread = False
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
        self._waiting.clear()
        self._photons = 0


def _take_turn(
    writer: Callable[[], PhotonWriter | None], hurry: threading.Event, pause: float
) -> None:
    hurry.wait(pause)
    hurry.clear()
    there = writer()
    if there is not None:
        there.take_turn()
