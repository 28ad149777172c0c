"""A user in front of `taurus gui femtotango`; run as a program of its own, as Taurus never ends.

It prints, as JSON, what it saw.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from PyQt5 import QtTest
from taurus.cli.cli import main
from taurus.external.qt import QtCore, QtWidgets
from taurus.qt.qtgui.application import TaurusApplication

_PATIENCE = 60.0


def wait(condition: Callable[[], Any]) -> bool:
    """Return whether it became true in time."""
    end = time.monotonic() + _PATIENCE
    while not condition() and time.monotonic() < end:
        QtWidgets.QApplication.processEvents()
        time.sleep(0.005)
    return bool(condition())


def use(gui: Any) -> dict[str, Any]:
    """Type a distance, press a button of one panel that another one obeys; say what happened."""
    widgets = {name: gui.getPanel(name).widget() for name in gui.getPanelNames()}
    # The panel of the manual is empty without a browser.
    panels = {name: widget for name, widget in widgets.items() if widget is not None}
    geometry, image, rois = panels["Geometry"], panels["Image"], panels["ROIs"]
    field = geometry.form.fields["Distance"]
    enabled = wait(lambda: geometry.form.isEnabled() and field.isEnabled())
    field.setFocus()
    field.lineEdit().selectAll()
    QtTest.QTest.keyClicks(field, "0,131")
    QtTest.QTest.keyClick(field, QtCore.Qt.Key.Key_Return)
    written = wait(lambda: image.link.value("Distance") == 0.131)
    # Without an image the button takes no clicks.
    rois.draw_button.setEnabled(True)
    QtTest.QTest.mouseClick(rois.draw_button, QtCore.Qt.MouseButton.LeftButton)
    drawing = wait(image.rois.manager.isStarted)
    image.rois.stop()
    released = wait(lambda: not rois.draw_button.isChecked())
    return {
        "panels": list(panels),
        "seen": [name for name, widget in panels.items() if widget.isVisible()],
        "title": gui.windowTitle(),
        "enabled": enabled,
        "written": written,
        "drawing": drawing,
        "released": released,
    }


def _run(application: Any) -> int:
    """Stand in for the event loop's start: use the window in it, then end."""
    (gui,) = [w for w in application.topLevelWidgets() if type(w).__name__ == "TaurusGui"]

    def act() -> None:
        try:
            print("saw", json.dumps(use(gui)), flush=True)
        finally:
            application.quit()

    QtCore.QTimer.singleShot(0, act)
    return QtWidgets.QApplication.exec_()


if __name__ == "__main__":
    TaurusApplication.exec_ = _run
    sys.argv = ["taurus", "gui", "femtotango"]
    main()
