"""What the Tango threads tell the window: the only thing of Qt that they hold."""

from typing import Any

from taurus.external.qt import QtCore

from femtotango.gui.device_link.jobs import Job


class Messenger(QtCore.QObject):
    """Passes on what it is told as signals, which arrive in the window's thread.

    A QObject must be deleted in its own thread, and Tango's threads, which drop their references
    some time after the window did, may hold the last one. So a messenger lives as long as the
    process; it has no timer and no child, and few are made.

    Signals:
        woken: at least one reading changed since `rest`.
        connected: whether the device answers, and if not, why.
        ended: a job, what it returned, and its error text or None.
    """

    woken = QtCore.Signal()
    connected = QtCore.Signal(bool, str)
    ended = QtCore.Signal(object, object, object)

    def __init__(self) -> None:
        super().__init__()
        self._waking = False
        _all.append(self)

    def rest(self) -> None:
        """Take note that the window looks at the readings now."""
        self._waking = False

    # Called by the Tango threads

    def readings_changed(self) -> None:
        """Wake up the window, once for any number of changed readings."""
        if not self._waking:
            self._waking = True
            self.woken.emit()

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Pass it on to the window's thread."""
        self.connected.emit(connected, reason)

    def job_ended(self, job: Job, result: Any, error: str | None) -> None:
        """Pass the answer on to the window's thread."""
        self.ended.emit(job, result, error)


_all: list[Messenger] = []
