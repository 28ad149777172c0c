"""The journal: what the reducer took in, on disk at most a second later, read when it starts anew.

One thread writes; the path of results only leaves notes. When the disk is full or hangs, the
analysis goes on, and as soon as the disk takes something again, a snapshot makes up for the rest.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from pipeline.files.atomic import FileError
from pipeline.files.journal_file import JournalFile
from pipeline.protocols.batch import PartialSum, SparseImage
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.journal_content import dump, fingerprint
from pipeline.reducer.journal_entries import (
    Block,
    PixelSums,
    Snapshot,
    photon_files,
    without_pixels,
)
from pipeline.reducer.notes import Announced, BatchTaken, Note, Notes
from pipeline.reducer.state import ReducerState

logger = logging.getLogger(__name__)

FILE_NAME = "reducer.journal"
INTERVAL = 0.5
"""From one write to the next [s]."""
_MIN_TAIL = 256_000_000
_TAIL = 4
"""A snapshot is made when the rest takes `_MIN_TAIL` bytes, and so many times the snapshot."""
_RETRY = 5.0
"""How often a snapshot is tried again [s]."""
_SLOW = 5.0
"""The disk hangs when it takes longer than this [s]."""
_MAX_WAITING = 400_000_000
"""Bytes of pixels that may wait for the disk."""


class Journal(Notes):
    """Writes down what the state takes in.

    Args:
        folder: of the journal.
        lock: keeps other writers out.
        state: whose notes they are.
        unsaved: gives the sums that were taken out of the state and are in no file yet; called
            under the state's lock.
        found: what was found wrong at the start; each stays an alarm while its file exists.
    """

    def __init__(
        self,
        folder: Path,
        lock: TextIO,
        state: ReducerState,
        unsaved: Callable[[], tuple[Sum, ...]],
        found: Mapping[Path, str],
    ) -> None:
        self._folder = folder
        self._folder_lock = lock
        self._state = state
        self._unsaved = unsaved
        self._found = dict(found)
        self._file = JournalFile(folder / FILE_NAME, fingerprint())
        self._snapshot_size = 0
        self._lock = threading.Lock()
        self._waiting: list[Note] = []
        self._waiting_bytes = 0
        self._notes: list[Note] = []
        """Taken up by the thread and not written yet."""
        self._pixels = PixelSums()
        self._files: dict[str, str] = {}
        self._hole = True
        """Something is missing behind what the file has: only a snapshot can make up for it."""
        self._snapshot_tried = 0.0
        self._problem = ""
        self._unwritten = 0
        """Results that are not in the file because of the problem."""
        self._busy_since: float | None = None
        self._wake = threading.Event()
        self._urgent = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="femtomax-journal", daemon=True)

    def start(self) -> None:
        """Begin to write, first a snapshot."""
        self._state.notes = self
        self._thread.start()

    def note(self, note: Note) -> None:
        """Take a note; never waits for the disk."""
        size = 0
        urgent = isinstance(note, Announced)
        if isinstance(note, BatchTaken):
            result = note.batch.result
            size = sum(map(_pixel_bytes, result.partials))
            urgent = bool(result.starts) or result.description is not None
            # Without its end, a scan would have to be stopped by hand.
            urgent |= result.series_end or result.record_end
        with self._lock:
            if self._waiting_bytes + size > _MAX_WAITING:
                self._hole = True
                self._unwritten += len(self._waiting)
                self._waiting.clear()
                self._waiting_bytes = 0
            self._waiting.append(note)
            self._waiting_bytes += size
            self._urgent |= urgent
        if urgent or size:
            self._wake.set()

    def alarms(self) -> list[str]:
        """Return what is wrong with the journal and what to do."""
        alarms = [text for path, text in self._found.items() if path.exists()]
        busy = self._busy_since
        waited = 0.0 if busy is None else time.monotonic() - busy
        if waited > _SLOW:
            alarms.append(
                f"The journal in {self._folder} has waited for {waited:.0f} s for its disk: what "
                "came since would be lost with the reducer. Look at the disk."
            )
        elif self._problem:
            alarms.append(
                f"The journal in {self._folder} cannot be written ({self._problem}): "
                f"{self._unwritten} results would be lost with the reducer. Make space, or look at "
                "the disk."
            )
        return alarms

    def close(self, timeout: float = 10.0) -> None:
        """Write what waits, at most so long [s], and end."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout)
        if not self._thread.is_alive():
            self._state.notes = Notes()
            self._file.close()
            self._folder_lock.close()

    def _run(self) -> None:
        written = -INTERVAL
        while True:
            self._wake.wait(max(0.0, written + INTERVAL - time.monotonic()))
            self._wake.clear()
            closing = self._closing
            try:
                self._take_up()
                if closing or self._urgent or time.monotonic() - written >= INTERVAL:
                    self._urgent = False
                    written = time.monotonic()
                    self._busy_since = written
                    self._write()
            except Exception as error:
                logger.exception("the journal could not be written")
                self._give_up(f"{type(error).__name__}: {error}")
            finally:
                self._busy_since = None
            if closing:
                return

    def _take_up(self) -> None:
        """Add up the pixels that wait, so that they need not be kept."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._waiting_bytes = 0
        for note in waiting:
            if isinstance(note, BatchTaken):
                self._pixels.add_batch(note.batch, note.sums)
                self._notes.append(without_pixels(note))
            else:
                self._notes.append(note)

    def _write(self) -> None:
        tail = self._file.size - self._snapshot_size
        full = tail > max(_MIN_TAIL, _TAIL * self._snapshot_size)
        now = time.monotonic()
        if (self._hole or full) and now - self._snapshot_tried > (_RETRY if self._problem else 0):
            self._snapshot_tried = now
            self._write_snapshot()
        if not self._hole:
            self._append()
        else:
            self._forget()

    def _append(self) -> None:
        files = photon_files(self._state)
        new = files if files != self._files else {}
        if not self._notes and not new:
            return
        try:
            self._file.append(dump(Block(tuple(self._notes), self._pixels.take(), new)))
        except OSError as error:
            self._give_up(error.strerror or str(error))
            return
        self._note_written(files)

    def _write_snapshot(self) -> None:
        with self._state.lock:
            self._take_up()
            files = photon_files(self._state)
            pieces = dump(Snapshot(self._state, self._unsaved(), files))
            # The state goes on while the disk writes.
            copied = [bytes(piece) for piece in pieces]
            hole, self._hole = self._hole, False
        try:
            self._file.replace(copied)
        except (OSError, FileError) as error:
            self._hole = hole
            self._problem = str(error)
            logger.error("no snapshot for the journal: %s", error)
            return
        self._snapshot_size = self._file.size
        self._note_written(files)

    def _note_written(self, files: dict[str, str]) -> None:
        self._files = files
        self._notes.clear()
        self._pixels.clear()
        self._problem, self._unwritten = "", 0

    def _give_up(self, problem: str) -> None:
        """Leave what comes now out, until a snapshot makes up for it."""
        if not self._problem:
            logger.error("the journal cannot be written: %s", problem)
        self._problem = problem
        self._hole = True
        self._forget()

    def _forget(self) -> None:
        self._unwritten += len(self._notes)
        self._notes.clear()
        self._pixels.clear()


def _pixel_bytes(partial: PartialSum) -> int:
    image = partial.image
    if isinstance(image, SparseImage):
        return 0
    return image.nbytes
