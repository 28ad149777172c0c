"""Base class of what is read while it is seen: curves and maps have no events, and may be long."""

from typing import Any, ClassVar

from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.device_link.tango_thread import read_together
from femtotango.gui.panels.device_widget import DeviceWidget


class ReadingWidget(DeviceWidget):
    """A part that reads attributes together, one read after the other, with pauses."""

    together: ClassVar[tuple[str, ...]]
    """Attributes that are read."""
    pause: ClassVar[int]
    """Shortest pause between two reads [ms]."""

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)
        self._reading = False
        self._stale = False
        self._again = QtCore.QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(self.pause)
        self._again.timeout.connect(self._read)

    def _read(self) -> None:
        """Read when what is shown is not the newest any more."""
        if self._link is None or not self._link.connected or not self._stale or self._reading:
            return
        self._reading, self._stale = True, False
        self._begin_read()
        # What runs in the Tango thread must not hold this widget.
        names = self.together
        self._link.call(
            lambda proxy: read_together(proxy, *names),
            key=type(self).__name__,
            done=self._take,
            failed=self._read_failed,
        )

    def _begin_read(self) -> None:
        """Note what belongs to the read that begins."""

    def _take(self, answer: dict[str, Any]) -> None:
        """Show what was read, and let the next read come after a pause.

        Args:
            answer: values by attribute; None where there is none.
        """
        raise NotImplementedError

    def _read_failed(self, reason: str) -> None:
        self._reading, self._stale = False, True
        if self._link is not None and self._link.connected:
            self._link.failed.emit(reason)
