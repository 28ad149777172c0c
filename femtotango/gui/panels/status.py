"""The line at the bottom: State, Status, scan, and the last error."""

import time
from typing import ClassVar

import numpy as np
from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.device_link.freshness import ENDLESS, age_text
from femtotango.gui.device_link.watched import SCAN, STATE
from femtotango.gui.panels.device_widget import DeviceWidget
from femtotango.gui.plots.colors import STATES, WAITING
from femtotango.gui.plots.theme import theme_of

_MESSAGE_MS = 60_000
"""What was done is told for this long."""
_GAP = "  ·  "
_SPACES = 60
"""Of the line that the cross and the pauses between its parts take [screen pixel]."""
_STATUS_STRETCH, _ERROR_STRETCH = 3, 7
"""Shares of the line."""


class ElidedLabel(QtWidgets.QLabel):
    """A line of text that is cut to its width; the tool tip shows all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred
        )

    @property
    def full_text(self) -> str:
        """The text before it was cut."""
        return self._text

    @property
    def full_width(self) -> int:
        """What the whole text needs [screen pixel]."""
        return self.fontMetrics().horizontalAdvance(self._text)

    def show_text(self, text: str) -> None:
        """Show a text as one line."""
        self._text = " · ".join(line.strip() for line in text.splitlines() if line.strip())
        self.setToolTip(text)
        self._cut()

    def resizeEvent(self, a0: QtGui.QResizeEvent | None) -> None:
        """Cut to the new width."""
        super().resizeEvent(a0)
        self._cut()

    def _cut(self) -> None:
        metrics, mode = self.fontMetrics(), QtCore.Qt.TextElideMode.ElideRight
        self.setText(metrics.elidedText(self._text, mode, self.width()))


class StatusLine(DeviceWidget):
    """State in its colour, Status, progress of the scan, last error."""

    watches: ClassVar[frozenset[str]] = STATE | SCAN

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self.state = QtWidgets.QLabel()
        self.state.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.state.setMinimumWidth(84)
        self.status = ElidedLabel()
        self.scan = QtWidgets.QLabel()
        self.scan.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self.error_line = ElidedLabel()
        self.dismiss = QtWidgets.QToolButton()
        self.dismiss.setText("×")
        self.dismiss.setAutoRaise(True)
        self.dismiss.setToolTip("Clear the error line.")
        self.dismiss.clicked.connect(self.clear_error)
        self.acknowledge = QtWidgets.QPushButton("Acknowledge loss")
        self.acknowledge.clicked.connect(self._acknowledge)
        self.acknowledge.setVisible(False)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(2, 1, 4, 1)
        layout.setSpacing(8)
        layout.addWidget(self.state)
        layout.addWidget(self.acknowledge)
        layout.addWidget(self.status, _STATUS_STRETCH)
        layout.addWidget(self.error_line, _ERROR_STRETCH)
        layout.addWidget(self.dismiss)
        layout.addWidget(self.scan)
        self.setFixedHeight(28)
        self._scan_shown: int | None = None
        self._scan_parts: tuple[str, ...] = ()
        self._last_error: str | None = None
        """Of the device, as it was told; None before the first look."""
        self._message_ends = QtCore.QTimer(self)
        self._message_ends.setSingleShot(True)
        self._message_ends.setInterval(_MESSAGE_MS)
        self._message_ends.timeout.connect(self.clear_error)
        self.clear_error()
        self._show_state("", "no device")

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device, see `DeviceWidget`."""
        if self._link is not None:
            self._link.failed.disconnect(self.show_error)
            self._link.told.disconnect(self.show_message)
        self._last_error = None
        super().setModel(model, key=key)
        if self._link is not None:
            self._link.failed.connect(self.show_error)
            self._link.told.connect(self.show_message)

    def refresh(self, names: frozenset[str]) -> None:
        """Show new values."""
        if self.link.connected:
            state = self.link.value("State")
            status = self.link.value("Status", "")
            self._show_state(str(state) if state is not None else "", status)
            self._show_loss(self.link.value("UnsafeFrames", ""), status)
        self._show_scan()
        scan = self.link.value("ScanNumber")
        if scan != self._scan_shown:
            if self._scan_shown is not None:
                # What went wrong before this scan is history.
                self.clear_error()
            self._scan_shown = scan
        self._show_last_error(self.link.value("LastError"))
        self._make_room()

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Show that the viewer waits for the device."""
        if connected:
            self.refresh(self.watches)
        else:
            self._show_state("waiting", f"for {self.link.name.tango}: {reason or 'connecting'}")
            self._scan_parts = ()
            self.scan.clear()
            self.acknowledge.setVisible(False)
        self._make_room()

    def _show_last_error(self, text: str | None) -> None:
        """Show a new error of the device; one that was told before does not come back."""
        if text is None or text == self._last_error:
            return
        earlier, self._last_error = self._last_error is None, text
        if text:
            self.show_error(text)
            if earlier:
                # When it happened is not known.
                self.error_line.show_text(f"before this window opened: {text}")

    def show_error(self, text: str) -> None:
        """Show an error and the time."""
        self._message_ends.stop()
        self.error_line.setStyleSheet(f"color: {theme_of(self).error}; font-weight: bold")
        self.error_line.show_text(f"{time.strftime('%H:%M:%S')} {text}")
        self.error_line.setVisible(True)
        self.dismiss.setVisible(True)
        self._make_room()

    def show_message(self, text: str) -> None:
        """Show what was done, in the place of an error, and the time."""
        self.show_error(text)
        self.error_line.setStyleSheet(f"color: {theme_of(self).good}")
        self._message_ends.start()

    def clear_error(self) -> None:
        """Clear the error line."""
        self.error_line.show_text("")
        self.error_line.setVisible(False)
        self.dismiss.setVisible(False)
        self._make_room()

    def _make_room(self) -> None:
        """Give an error that would be cut the place of Status, which State's tool tip tells too."""
        if self._link is None or not self._link.connected:
            # Why the window waits is worth more than what was before.
            self.status.setVisible(True)
            return
        before = self.state if self.acknowledge.isHidden() else self.acknowledge
        line = self.width() - before.geometry().right() - _SPACES
        self.scan.setText(_GAP.join(self._scan_parts))
        free = line - self.scan.sizeHint().width()
        share = _ERROR_STRETCH / (_ERROR_STRETCH + _STATUS_STRETCH)
        needed = self.error_line.full_width
        self.status.setVisible(needed <= share * free)
        parts = list(self._scan_parts)
        while len(parts) > 1 and needed > line - self.scan.sizeHint().width():
            # First how long ago the last frame came, then the rate.
            parts.pop()
            self.scan.setText(_GAP.join(parts))

    def resizeEvent(self, a0: QtGui.QResizeEvent | None) -> None:
        """Look anew whether an error has room."""
        super().resizeEvent(a0)
        self._make_room()

    def _show_state(self, state: str, status: str) -> None:
        self.state.setText(state)
        self.state.setStyleSheet(
            f"background: {STATES.get(state, WAITING)}; color: white; "
            "font-weight: bold; border-radius: 4px; padding: 1px 6px"
        )
        self.status.show_text(status)
        self.state.setToolTip(status)

    def _show_loss(self, frames: str, status: str) -> None:
        """Offer to acknowledge a loss; one that cost no frame is an alarm too."""
        self.acknowledge.setVisible(bool(frames) or "AcknowledgeLoss" in status)
        lost = f"Neither raw data nor photons: {frames}. " if frames else ""
        self.acknowledge.setToolTip(f"{lost}Note that, then click: the alarm ends.")

    def _acknowledge(self) -> None:
        self.link.call(
            lambda proxy: proxy.command_inout("AcknowledgeLoss"),
            key="AcknowledgeLoss",
            rereads=("UnsafeFrames", "Status", "State"),
        )

    def _show_scan(self) -> None:
        value = self.link.value
        number = value("ScanNumber", 0)
        parts = [f"scan {number}"] if number else []
        total, done = value("EventsTotal", 0), value("EventsProcessed", 0)
        if frames := value("ScanFrames", 0):
            parts.append("1 frame" if frames == 1 else f"{frames} frames")
        if 0 <= done < total < ENDLESS:
            parts.append(f"{100 * done // total} %")
        if failed := value("FailedFrames", 0):
            parts.append(f"{failed} failed in all")
        rate, age = value("FrameRate", np.nan), value("LastFrameAge", np.nan)
        if not np.isnan(rate):
            parts.append(f"{rate:.3g} Hz")
        if not np.isnan(age):
            parts.append(f"last frame {age_text(age)} ago")
        self._scan_parts = tuple(parts)
        self.scan.setToolTip(value("ScanTitle", ""))
