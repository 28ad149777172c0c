"""Programs that the manual promises with the extra `gui` start with what it installs.

`scripts/try-extras` runs this file in a fresh environment.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

from femtotango.gui.device_link.names import parse_device_name

pytestmark = [pytest.mark.gui, pytest.mark.slow]

_LIMIT = 300.0
_SILX_VIEW = """
import sys
from silx.gui import qt
from silx.app.view.main import main

def look(*_):
    print("saw", *[w.windowTitle() for w in qt.QApplication.topLevelWidgets() if w.isVisible()])
    return 0

qt.QApplication.exec = look
main(["silx view", sys.argv[1]])
"""
_TAURUS = """
import sys
from taurus.cli.cli import main
from taurus.qt.qtgui.application import TaurusApplication

def look(application):
    print("saw", *[w.windowTitle() for w in application.topLevelWidgets() if w.isVisible()])
    return 0

TaurusApplication.exec_ = look
sys.argv = ["taurus", *sys.argv[1:]]
main()
"""


def saw(code: str, *arguments: str) -> bool:
    """Tell whether a program showed a window; its event loop only looks."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=_LIMIT
    )
    assert any(line.startswith("saw ") for line in done.stdout.splitlines()), done.stderr
    return True


def needs(package: str) -> pytest.MarkDecorator:
    """Skip a test where the extra is not installed as it is now."""
    reason = f"{package} is missing: pip install 'femtotango[gui]'"
    return pytest.mark.skipif(find_spec(package) is None, reason=reason)


@needs("OpenGL")
def test_silx_view(screen, tmp_path: Path) -> None:
    file = tmp_path / "image.h5"
    with h5py.File(file, "w") as written:
        written["image"] = np.zeros((3, 4))
    assert saw(_SILX_VIEW, str(file))


def test_taurus_form(screen, device_alone: str) -> None:
    assert saw(_TAURUS, "form", parse_device_name(device_alone).taurus)


@needs("plotpy")
def test_the_image_widget_of_taurus(screen, device_alone: str) -> None:
    name = parse_device_name(device_alone)
    assert saw(_TAURUS, "image", name.attribute("PreviewImage"))
