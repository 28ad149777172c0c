"""The files of a running stack: its folder, the lock in it, and the ready file."""

import fcntl
import json
import tempfile
from pathlib import Path
from typing import TextIO

from femtotango.stack.errors import StackError
from pipeline.files.atomic import FileError, write_over


def make_folder(state: Path | None) -> Path:
    """Return the folder of a stack, with a folder for logs in it.

    Args:
        state: where; None: a new temporary folder.

    Raises:
        StackError: it cannot be made.
    """
    folder = Path(tempfile.mkdtemp(prefix="femtotango-")) if state is None else state
    try:
        logs_of(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def logs_of(folder: Path) -> Path:
    """Return where a stack with this folder keeps its logs."""
    return folder / "logs"


def lock_folder(folder: Path) -> TextIO:
    """Keep other stacks out of the folder as long as the returned file is open.

    Raises:
        StackError: another stack has it, or nothing can be written there.
    """
    try:
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StackError(
            f"Another stack uses the folder {folder}: end it, or give another one."
        ) from error
    return lock


def remove_ready_file(path: Path) -> None:
    """Remove what a stack that was killed may have left; it would name addresses of the past.

    Raises:
        StackError: it cannot be removed, or could not be written later.
    """
    if not path.parent.is_dir():
        raise StackError(f"Ready file {path}: there is no folder {path.parent}.")
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StackError(f"Ready file {path} cannot be replaced: {error.strerror}.") from error


def write_ready_file(path: Path, info: dict[str, object]) -> None:
    """Write the addresses so that nobody sees half a file.

    Raises:
        StackError: it cannot be written.
    """
    try:
        write_over(path, json.dumps(info, indent=1))
    except FileError as error:
        raise StackError(f"Ready file {error}") from error


def _unusable(folder: Path, error: OSError) -> StackError:
    return StackError(
        f"The folder {folder} cannot be used ({error.strerror}): give another one with --state."
    )
