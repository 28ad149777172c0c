"""A user in front of the viewer, who looks, waits, drags, clicks and types; needs a display."""

import sys
import time
import warnings
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

with warnings.catch_warnings():
    # Taurus and silx warn when they are imported; their warnings are not ours to fix.
    warnings.simplefilter("ignore")
    from PyQt5 import QtTest
    from support.real_widgets import children_of
    from taurus.external.qt import QtCore, QtGui, QtWidgets

    from femtotango.gui.device_link.link import close_links
    from femtotango.gui.garbage import collect_in_any_thread
    from femtotango.gui.window import ViewerWindow

_LEFT = QtCore.Qt.MouseButton.LeftButton
_STEPS = 6
_PATIENCE = 60.0
_KEPT = 2
_closed: list[ViewerWindow] = []


class Viewer:
    """One open window."""

    def __init__(self, device: str, size: tuple[int, int] = (1280, 800)) -> None:
        self.application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["tests"])
        self.window = ViewerWindow(device)
        self.errors: list[str] = []
        self.uncaught: list[BaseException] = []
        self._hook, sys.excepthook = sys.excepthook, self._note
        self.window.link.failed.connect(self.errors.append)
        self.window.resize(*size)
        self.window.show()
        # There is no window manager to do that.
        self.application.setActiveWindow(self.window)

    def __enter__(self) -> "Viewer":
        self.wait("the device", lambda: self.window.link.connected)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.window.close()
        close_links()
        _closed.append(self.window)
        # What is still on its way to a window has to arrive before it is deleted.
        self.events()
        while len(_closed) > _KEPT:
            _closed.pop(0).deleteLater()
        self.application.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
        collect_in_any_thread()
        sys.excepthook = self._hook
        if self.uncaught and error is None:
            raise self.uncaught[0]

    def _note(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Keep what no slot caught: Qt would end the process."""
        self.uncaught.append(error)

    def events(self) -> None:
        """Let the window handle what has come."""
        self.application.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 20)

    def wait(self, what: str, condition: Callable[[], Any], patience: float = _PATIENCE) -> Any:
        """Return the condition's first true value.

        Raises:
            TimeoutError: there was none in time.
        """
        end = time.monotonic() + patience
        while not (value := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"waited {patience:g} s for {what}; errors shown: {self.errors}")
            self.events()
            time.sleep(0.002)
        return value

    def wait_image(self, frames: int = 1) -> None:
        """Wait until the sum of so many frames is drawn."""
        self.wait("the image", lambda: f"sum of {frames} frames" in self.title or frames == 1)
        self.wait("pixels", lambda: self.plot.shown.getData(copy=False).size > 1)

    @property
    def plot(self) -> Any:
        """The plot of the image."""
        return self.window.image.plot

    @property
    def title(self) -> str:
        """Words above the image."""
        return self.window.image.title.full_text

    @property
    def error_line(self) -> str:
        """The error that the user sees; empty: none."""
        return self.window.status_line.error_line.full_text

    def at(self, x: float, y: float, plot: Any = None) -> QtCore.QPoint:
        """Return where an image position is on the plot, or on another one."""
        left, top = (plot or self.plot).dataToPixel(x, y)
        return QtCore.QPoint(round(left), round(top))

    def drag(self, start: tuple[float, float], end: tuple[float, float], plot: Any = None) -> None:
        """Drag the mouse over the image, or another plot, from ``(x, y)`` to ``(x, y)`` [pixel]."""
        canvas = (plot or self.plot).getWidgetHandle()
        first, last = self.at(*start, plot), self.at(*end, plot)
        QtTest.QTest.mouseMove(canvas, first)
        QtTest.QTest.mousePress(canvas, _LEFT, pos=first)
        for step in range(1, _STEPS + 1):
            position = first + (last - first) * step / _STEPS
            moved = QtGui.QMouseEvent(
                QtCore.QEvent.Type.MouseMove,
                QtCore.QPointF(position),
                _LEFT,
                _LEFT,
                QtCore.Qt.KeyboardModifier.NoModifier,
            )
            self.application.sendEvent(canvas, moved)
        QtTest.QTest.mouseRelease(canvas, _LEFT, pos=last)

    def click_corners(self, corners: Sequence[tuple[float, float]], plot: Any) -> None:
        """Click on the corners ``(x, y)`` of a polygon, and on the first one again."""
        canvas = plot.getWidgetHandle()
        for corner in (*corners, corners[0]):
            position = self.at(*corner, plot)
            QtTest.QTest.mouseMove(canvas, position)
            self.events()
            QtTest.QTest.mouseClick(canvas, _LEFT, pos=position)

    def click_image(self, x: float, y: float) -> None:
        """Click on an image position."""
        canvas, position = self.plot.canvas, self.at(x, y)
        QtTest.QTest.mouseMove(canvas, position)
        QtTest.QTest.mouseClick(canvas, _LEFT, pos=position)

    def click(self, button: QtWidgets.QAbstractButton) -> None:
        """Click on a button as soon as it takes input; a check box is hit at its box."""
        self.wait(f"{button.text() or button.objectName()} to take input", button.isEnabled)
        position = QtCore.QPoint(8, button.height() // 2)
        QtTest.QTest.mouseClick(button, _LEFT, pos=position)

    def type(self, field: QtWidgets.QDoubleSpinBox, text: str) -> None:
        """Type into a field, in the place of what it holds."""
        edit = field.lineEdit()
        assert edit is not None
        self.wait(f"{field.objectName()} to take input", field.isEnabled)
        field.setFocus()
        edit.selectAll()
        QtTest.QTest.keyClicks(field, text)

    def enter(self, field: QtWidgets.QDoubleSpinBox, text: str) -> None:
        """Type into a field, and Enter."""
        self.type(field, text)
        QtTest.QTest.keyClick(field, QtCore.Qt.Key.Key_Return)

    def type_cell(
        self, table: QtWidgets.QTableWidget, row: int, column: int, text: str
    ) -> QtWidgets.QLineEdit:
        """Type into the cell of a table, and Enter; return what was typed into."""
        table.setCurrentCell(row, column)
        item = table.item(row, column)
        assert item is not None
        table.editItem(item)
        editor = self.wait("an editor", lambda: _editor(table))
        editor.selectAll()
        QtTest.QTest.keyClick(editor, QtCore.Qt.Key.Key_Backspace)
        QtTest.QTest.keyClicks(editor, text)
        QtTest.QTest.keyClick(editor, QtCore.Qt.Key.Key_Return)
        return editor

    def enter_cell(self, table: QtWidgets.QTableWidget, row: int, column: int, text: str) -> None:
        """Type into the cell of a table what it takes, and Enter."""
        self.type_cell(table, row, column, text)
        self.wait(
            "the end of typing",
            lambda: table.state() != QtWidgets.QAbstractItemView.State.EditingState,
        )

    def file_line(self, dialog: QtWidgets.QFileDialog) -> QtWidgets.QLineEdit:
        """Return the line of a dialog that takes the file's name; use it at once."""

        def lines() -> list[QtWidgets.QLineEdit]:
            lines = children_of(dialog, QtWidgets.QLineEdit)
            return [line for line in lines if line.objectName() == "fileNameEdit"]

        return self.wait("its line", lines)[0]

    def press(self, widget: QtWidgets.QWidget, key: QtCore.Qt.Key) -> None:
        """Press a key."""
        widget.setFocus()
        QtTest.QTest.keyClick(widget, key)


def _editor(table: QtWidgets.QTableWidget) -> QtWidgets.QLineEdit | None:
    """Return what the user types into; earlier editors may not be gone yet."""
    editors = [e for e in children_of(table, QtWidgets.QLineEdit) if e.isVisible()]
    return editors[-1] if editors else None
