"""A virtual screen for windows, or the line that tells how to get one."""

import os
import shutil
import subprocess
import sys

import pytest

_SCREEN = "1920x1200x24"
_CURE = "run scripts/gui-libraries as root"
_TRIAL = "from PyQt5 import QtWidgets; QtWidgets.QApplication([])"


def start_virtual_screen() -> "subprocess.Popen[bytes]":
    """Run Xvfb as long as this process lives, and point Qt at it.

    Qt ends a process whose screen goes away: it must not be stopped before.

    Returns:
        The server, to be kept; the test is skipped where there is none.
    """
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip(f"Xvfb is not installed: {_CURE}")
    read, write = os.pipe()
    with os.fdopen(read) as pipe:
        parent = ["-m", "femtotango.stack.launch", str(os.getpid())]
        options = ["-displayfd", str(write), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
        server = subprocess.Popen(
            [sys.executable, *parent, program, *options],
            pass_fds=[write],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        number = pipe.readline().strip()
    if not number:
        pytest.skip(f"Xvfb did not start: {_CURE}")
    os.environ.update(DISPLAY=f":{number}", QT_QPA_PLATFORM="xcb")
    # Qt ends the process when a library is missing: let another one try.
    trial = subprocess.run(
        [sys.executable, "-c", _TRIAL], capture_output=True, text=True, timeout=60
    )
    if trial.returncode:
        reason = (trial.stderr.strip().splitlines() or ["Qt does not start"])[-1]
        pytest.skip(f"{reason}: pip install femtotango[gui], and {_CURE}")
    return server
