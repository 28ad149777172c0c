"""What an interrupted run has done so far: the batches of every block, in a journal.

The reducer is a fold over batches, so a run that goes on reads them again and has the same state as
one that was never interrupted. A block is in it whole or not at all, whatever was killed.
"""

import json
import shutil
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from pipeline.files.atomic import FileError
from pipeline.files.journal_file import (
    BadJournal,
    FolderTaken,
    JournalFile,
    lock_journal,
    read_journal,
)
from pipeline.postprocessing.errors import BadOutput
from pipeline.reducer.journal_content import fingerprint

_FILE = "journal"
_INDEX = struct.Struct("<Q")
_HEAD, _BLOCK, _DONE = b"H", b"B", b"D"


class RunState:
    """The journal of a run over one series; for one thread.

    Args:
        folder: of the run; its own.

    Raises:
        BadOutput: by each method, when the disk refuses, or another process works on this run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = JournalFile(folder / _FILE, fingerprint())
        self._lock: TextIO | None = None
        self._entries: tuple[memoryview, ...] = ()
        self.about: dict[str, Any] = {}
        """What the run was begun with."""
        self.outcome: dict[str, Any] | None = None
        """What the run gave; None: it is not done."""

    @property
    def exists(self) -> bool:
        """True when a run was begun."""
        return (self.folder / _FILE).exists()

    def begin(self, about: Mapping[str, Any]) -> None:
        """Begin a new run."""
        self.about = dict(about)
        try:
            self._lock = lock_journal(self.folder)
            self._file.replace([_HEAD, json.dumps(self.about).encode()])
        except FolderTaken as error:
            raise self._taken() from error
        except (OSError, FileError) as error:
            raise self._refused(error) from error

    def read(self) -> None:
        """Read the run that was begun, and go on with it."""
        try:
            self._lock = lock_journal(self.folder)
            journal = read_journal(self.folder / _FILE, fingerprint())
            self._file.go_on(journal)
        except FolderTaken as error:
            raise self._taken() from error
        except BadJournal as error:
            raise BadOutput(
                f"{self.folder} cannot be continued ({error}): delete that folder, then process "
                "the file again from its start."
            ) from error
        except OSError as error:
            raise self._refused(error) from error
        for entry in journal.entries:
            kind = bytes(entry[:1])
            if kind == _HEAD:
                self.about = json.loads(bytes(entry[1:]))
            elif kind == _DONE:
                self.outcome = json.loads(bytes(entry[1:]))
        self._entries = journal.entries

    def blocks(self) -> Iterator[tuple[int, memoryview]]:
        """Give number and result of each block that was done, in order."""
        for entry in self._entries:
            if bytes(entry[:1]) == _BLOCK:
                yield _INDEX.unpack_from(entry, 1)[0], entry[1 + _INDEX.size :]

    def add_block(self, index: int, result: bytes) -> None:
        """Note what a block gave; it is on disk afterwards."""
        self._append([_BLOCK, _INDEX.pack(index), result])

    def finish(self, outcome: Mapping[str, Any]) -> None:
        """Note what the run gave."""
        self.outcome = dict(outcome)
        self._append([_DONE, json.dumps(self.outcome).encode()])

    def close(self) -> None:
        """Close the files; the run can go on another time."""
        self._file.close()
        self._entries = ()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def remove(self) -> None:
        """Delete what nobody needs any more."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _append(self, content: list[bytes]) -> None:
        try:
            self._file.append(content)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError | FileError) -> BadOutput:
        text = getattr(error, "strerror", None) or str(error)
        return BadOutput(
            f"{self.folder} cannot be written ({text}): make room or give another --output, then "
            "go on with --resume."
        )

    def _taken(self) -> BadOutput:
        return BadOutput(
            f"Another femtotango process works on this file already ({self.folder}): wait for it."
        )
