"""Logs stay small: each has one predecessor, ``NAME.log.1``."""

import logging
import os
import shutil
from pathlib import Path

from femtotango.stack.errors import StackError

LIMIT = 10_000_000
"""Size from which a log is continued in a new file [bytes]."""

_ROOM = "femtotango.stack"
logger = logging.getLogger(__name__)


def begin_logs(folder: Path) -> logging.Handler:
    """Begin new logs, with what `femtotango up` itself has to say in ``up.log``.

    Those of the stack before become the predecessors.

    Returns:
        For `end_logs`.

    Raises:
        StackError: a log cannot be renamed or written.
    """
    try:
        for log in folder.glob("*.log"):
            if log.stat().st_size:
                log.replace(_predecessor(log))
        handler = logging.FileHandler(folder / "up.log", encoding="utf-8")
    except OSError as error:
        raise StackError(f"Logs in {folder} cannot be written: {error.strerror}.") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger(_ROOM).addHandler(handler)
    return handler


def end_logs(handler: logging.Handler) -> None:
    """Close ``up.log``."""
    logging.getLogger(_ROOM).removeHandler(handler)
    handler.close()


def shorten(folder: Path, limit: int = LIMIT) -> None:
    """Move what stands in logs over the limit to their predecessors.

    The file stays the same one, because a process has it open and appends to it. When the copy
    cannot be made, as on a full disk, the content is dropped: the next would not fit either.

    Args:
        folder: of the logs.
        limit: of their size [bytes].
    """
    for log in folder.glob("*.log"):
        if log.stat().st_size <= limit:
            continue
        try:
            shutil.copyfile(log, _predecessor(log))
        except OSError as error:
            logger.warning("%s is cut without a copy: %s", log, error)
            _predecessor(log).unlink(missing_ok=True)
        os.truncate(log, 0)


def _predecessor(log: Path) -> Path:
    return log.with_name(f"{log.name}.1")
