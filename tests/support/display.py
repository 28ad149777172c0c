"""A virtual screen for windows, or the line that tells how to get one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_SCREEN = "1920x1200x24"
_CURE = "run `make test` as root, or scripts/gui-libraries as root"
_IMPORT = "from PyQt5 import QtWidgets; QtWidgets.QApplication([])"


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Run Xvfb and point Qt at it; skip the test where that is not possible.

    Yields:
        The display.
    """
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip(f"Xvfb is not installed: {_CURE}")
    read, write = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(write), "-screen", "0", _SCREEN, "-nolisten", "tcp"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    before = dict(os.environ)
    try:
        with os.fdopen(read) as pipe:
            display = f":{pipe.readline().strip()}"
        if display == ":":
            pytest.skip(f"Xvfb did not start: {_CURE}")
        os.environ.update(DISPLAY=display, QT_QPA_PLATFORM="xcb")
        # Qt ends the whole process when a library is missing: let another one try.
        trial = subprocess.run(
            [sys.executable, "-c", _IMPORT], capture_output=True, text=True, timeout=60
        )
        if trial.returncode:
            reason = (trial.stderr.strip().splitlines() or ["Qt does not start"])[0]
            pytest.skip(f"{reason}: pip install femtotango[gui], and {_CURE}")
        yield display
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.terminate()
        server.wait(10)
