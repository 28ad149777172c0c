"""Open the journal when the reducer starts: with which state to go on, and what was found wrong."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.files.atomic import FileError
from pipeline.files.journal_file import (
    BadJournal,
    FolderTaken,
    lock_journal,
    put_aside,
    read_journal,
)
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.journal import FILE_NAME, Journal
from pipeline.reducer.journal_content import BadContent, fingerprint
from pipeline.reducer.journal_restore import restore
from pipeline.reducer.state import ReducerState

logger = logging.getLogger(__name__)


class NoJournal:
    """Stands for a journal that is not kept.

    Args:
        alarm: why, when that is not wanted.
    """

    def __init__(self, alarm: str = "") -> None:
        self._alarm = alarm

    def start(self) -> None:
        """Do nothing."""

    def alarms(self) -> list[str]:
        """Return why there is none."""
        return [self._alarm] if self._alarm else []

    def close(self) -> None:
        """Do nothing."""


MakeJournal = Callable[[Callable[[], tuple[Sum, ...]]], Journal | NoJournal]
"""Makes the journal, from a function that gives the unsaved sums."""


def no_journal(_: object) -> NoJournal:
    """Return what stands for a journal that is not wanted."""
    return NoJournal()


def open_journal(folder: str) -> tuple[ReducerState, MakeJournal]:
    """Read the journal in a folder.

    Args:
        folder: of the journal; empty: there is none.

    Returns:
        The state to go on with, and what makes the journal for it.
    """
    if not folder:
        return ReducerState(), no_journal
    where = Path(folder)
    try:
        lock = lock_journal(where)
    except (FolderTaken, OSError) as error:
        alarm = (
            f"The reducer keeps no journal ({error}): its sums would be lost with it. Give it "
            "another folder, or end the other process; then restart the reducer."
        )
        logger.error(alarm)
        state = ReducerState()
        state.fail(alarm)
        return state, lambda _: NoJournal(alarm)
    state, found = _read(where / FILE_NAME)
    return state, lambda unsaved: Journal(where, lock, state, unsaved, found)


def _read(path: Path) -> tuple[ReducerState, dict[Path, str]]:
    begun = time.monotonic()
    try:
        journal = read_journal(path, fingerprint())
        state = restore(journal.entries)
    except (BadJournal, BadContent, OSError) as error:
        return _put_aside(path, str(error))
    except Exception as error:
        logger.exception("the journal could not be replayed")
        return _put_aside(path, f"it cannot be replayed ({type(error).__name__}: {error})")
    if journal.cut:
        state.fail(
            f"The journal {path} ended within an entry: its last {journal.cut} bytes were left out."
        )
    if journal.entries:
        frames = sum(total.count for total in state.accumulation.growing)
        took = time.monotonic() - begun
        logger.warning("going on from the journal %s, read in %.1f s", path, took)
        logger.warning("frames in the sums: %d", frames)
    return state, {}


def _put_aside(path: Path, why: str) -> tuple[ReducerState, dict[Path, str]]:
    state = ReducerState()
    try:
        aside = put_aside(path)
    except FileError as error:
        aside, why = path, f"{why}; {error}"
    text = (
        f"The journal {path} was not used: {why}. It is kept as {aside}: what it held is in no "
        "sum. Report it, then move that file away."
    )
    logger.error(text)
    state.fail(text)
    return state, {aside: text}
