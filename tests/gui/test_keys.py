"""Keys of the window, and letters for a screen that is far away."""

import subprocess
import sys
from pathlib import Path

import pytest
from PyQt5 import QtTest

pytestmark = [pytest.mark.gui, pytest.mark.slow]


def test_keys_are_listed_and_work(open_viewer, device_alone: str, tmp_path: Path) -> None:
    from support.viewer import QtCore, QtWidgets

    viewer = open_viewer(device_alone)
    window = viewer.window
    QtTest.QTest.keyClick(window, QtCore.Qt.Key.Key_F1)
    viewer.wait("the list", window.keys.isVisible)
    assert all(key in window.keys.text() for key in ("F1", "F11", "Ctrl+Z", "Delete"))
    viewer.click(window.keys.button(QtWidgets.QMessageBox.StandardButton.Close))
    viewer.wait("no list", lambda: not window.keys.isVisible())
    QtTest.QTest.keyClick(window, QtCore.Qt.Key.Key_F11)
    viewer.wait("full screen", window.isFullScreen)
    QtTest.QTest.keyClick(window, QtCore.Qt.Key.Key_F11)
    viewer.wait("a window again", lambda: not window.isFullScreen())
    picture = tmp_path / "window.png"
    QtTest.QTest.keyClick(window, QtCore.Qt.Key.Key_P, QtCore.Qt.KeyboardModifier.ControlModifier)
    dialog = viewer.wait("a dialog", lambda: window.findChild(QtWidgets.QFileDialog))
    edit = viewer.file_line(dialog)
    edit.setText(str(picture))
    QtTest.QTest.keyClick(edit, QtCore.Qt.Key.Key_Return)
    viewer.wait("that it is told", lambda: str(picture) in viewer.error_line)
    assert picture.read_bytes().startswith(b"\x89PNG")
    line = viewer.plot.tools
    button = line.widgetForAction(window.print_action)
    assert button.isVisible() and "Ctrl+P" in button.toolTip()
    viewer.wait("no dialog", lambda: not dialog.isVisible())
    viewer.click(button)
    viewer.wait("a dialog", lambda: [d for d in window.findChildren(type(dialog)) if d.isVisible()])


def test_the_scale_enlarges_everything(screen, device_alone: str, tmp_path: Path) -> None:
    from support.viewer import QtGui

    picture = tmp_path / "large.png"
    program = Path(sys.executable).with_name("femtotango")
    options = ["--screenshot", str(picture), "--size", "640x400", "--scale", "1.5"]
    done = subprocess.run(
        [program, "viewer", device_alone, *options], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    image = QtGui.QImage(str(picture))
    assert image.devicePixelRatio() == 1.5 or image.width() >= 1.5 * 640
