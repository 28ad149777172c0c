"""A virtual screen for windows, or the line that tells how to get one."""

import os
import shutil
import subprocess
import sys

import pytest

_SCREEN = "1920x1200x24"
_CURE = "run scripts/gui-libraries as root"
_TRIAL = "from PyQt5 import QtWidgets; QtWidgets.QApplication([])"


def start_virtual_screen() -> None:
    """Run Xvfb as long as this process lives, and point Qt at it.

    The test is skipped where there is no Xvfb.
    """
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip(f"Xvfb is not installed: {_CURE}")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    parent = ["-m", "femtotango.stack.launch", str(os.getpid())]
    options = ["-displayfd", str(write), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    # No Popen, which complains at the end of a process that is not waited for: Qt does not survive
    # its screen, so the screen ends with this process and not before.
    server = os.posix_spawn(
        sys.executable,
        [sys.executable, *parent, program, *options],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)],
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    if not number:
        os.waitpid(server, 0)
        pytest.skip(f"Xvfb did not start: {_CURE}")
    os.environ.update(DISPLAY=f":{number}", QT_QPA_PLATFORM="xcb")
    # Qt ends the process when a library is missing: let another one try.
    trial = subprocess.run(
        [sys.executable, "-c", _TRIAL], capture_output=True, text=True, timeout=60
    )
    if trial.returncode:
        reason = (trial.stderr.strip().splitlines() or ["Qt does not start"])[-1]
        pytest.skip(f"{reason}: pip install femtotango[gui], and {_CURE}")
