"""The window's side of a device: newest readings, signals into Qt, and calls that never wait."""

import itertools
from collections.abc import Callable
from typing import Any

import tango
from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.device_link.jobs import Job, JobQueue
from femtotango.gui.device_link.names import DeviceName, parse_device_name
from femtotango.gui.device_link.readings import Reading, Readings
from femtotango.gui.device_link.tango_thread import TangoThread, read_together

_GATHER_MS = 40
"""Changes within this time are shown together: one redraw for one snapshot, room for the mouse."""


class DeviceLink(QtCore.QObject):
    """One device for all widgets of this process; lives in the window's thread.

    Signals:
        changed: frozenset of the attributes that have a new reading.
        connection: whether the device answers, and if not, why.
        failed: a line for the user.
        succeeded: a call was done; earlier error lines no longer matter.
    """

    changed = QtCore.Signal(object)
    connection = QtCore.Signal(bool, str)
    failed = QtCore.Signal(str)
    succeeded = QtCore.Signal()
    _woken = QtCore.Signal()
    _connected = QtCore.Signal(bool, str)
    _ended = QtCore.Signal(object, object, object)

    def __init__(self, name: DeviceName) -> None:
        super().__init__()
        self.name = name
        self.connected = False
        self.reason = ""
        self._readings = Readings()
        self._jobs = JobQueue()
        self._numbers = itertools.count()
        self._pending: dict[str, int] = {}
        self._gather = QtCore.QTimer(self)
        self._gather.setSingleShot(True)
        self._gather.setInterval(_GATHER_MS)
        self._gather.timeout.connect(self._show)
        self._woken.connect(self._wake)
        self._ended.connect(self._end)
        self._connected.connect(self._change_connection)
        self._waking = False
        self._thread = TangoThread(name.tango, self._readings, self._jobs, self)
        self._thread.start()

    # What the Tango threads call

    def readings_changed(self) -> None:
        """Wake up the window, once however many readings change."""
        if not self._waking:
            self._waking = True
            self._woken.emit()

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Carry the news into the window's thread."""
        self._connected.emit(connected, reason)

    def job_ended(self, job: Job, result: Any, error: str | None) -> None:
        """Carry the answer into the window's thread."""
        self._ended.emit(job, result, error)

    # What widgets call

    def reading(self, name: str) -> Reading:
        """Return the newest reading of an attribute."""
        return self._readings.get(name)

    def value(self, name: str, default: Any = None) -> Any:
        """Return the newest value of an attribute, or the default when it has none."""
        value = self._readings.get(name).value
        return default if value is None else value

    def is_pending(self, name: str) -> bool:
        """Tell whether a change of the attribute is under way: the user's value is shown."""
        return self._pending.get(name, 0) > 0

    def write(self, name: str, value: Any) -> None:
        """Write an attribute; a refusal becomes an error line and the old value shows again."""
        self.call(
            lambda proxy: proxy.write_attribute(name, value),
            key=f"write {name}",
            rereads=(name,),
        )

    def command(self, name: str, argument: Any = None, *, changes: tuple[str, ...] = ()) -> None:
        """Run a command.

        Args:
            name: the command.
            argument: its argument, if it takes one.
            changes: attributes that it changes.
        """
        self.call(lambda proxy: proxy.command_inout(name, argument), rereads=changes)

    def read(self, key: str, names: tuple[str, ...], done: Callable[[dict], None]) -> None:
        """Read attributes in one call; the newest request of a key only."""
        self.call(lambda proxy: read_together(proxy, *names), key=key, done=done)

    def call(
        self,
        run: Callable[[tango.DeviceProxy], Any],
        *,
        key: str = "",
        done: Callable[[Any], None] | None = None,
        failed: Callable[[str], None] | None = None,
        rereads: tuple[str, ...] = (),
    ) -> None:
        """Have something done with the device, outside of the window's thread.

        Args:
            run: gets the proxy, in the Tango thread.
            key: a waiting call with the same key is replaced; empty: none is.
            done: gets the result, in the window's thread.
            failed: gets the error text instead of the error line.
            rereads: attributes that it changes.
        """
        for name in rereads:
            self._pending[name] = self._pending.get(name, 0) + 1
        key = key or f"call {next(self._numbers)}"
        replaced = self._jobs.put(Job(key, run, done, rereads, failed))
        if replaced is not None:
            self._no_longer_pending(replaced)

    def refuse(self, text: str, *names: str) -> None:
        """Show an error line without asking the device, and the old values of attributes again."""
        self.failed.emit(text)
        self._readings.touch(names)
        self.readings_changed()

    def close(self) -> None:
        """End the thread; the link is not used afterwards."""
        self._jobs.close()
        self._thread.join(timeout=5.0)

    # In the window's thread

    def _wake(self) -> None:
        if not self._gather.isActive():
            self._gather.start()

    def _show(self) -> None:
        self._waking = False
        names = self._readings.take_changed()
        if names:
            self.changed.emit(names)

    def _change_connection(self, connected: bool, reason: str) -> None:
        """Note whether the device answers, and tell it, in one step of the window's thread.

        A widget finds it in `connected` when it comes later, or gets the signal when it is there
        already. A signal from the Tango thread would go only to those that are connected when it
        is sent, before `connected` is set: widgets built in between would wait for ever.
        """
        self.connected, self.reason = connected, reason
        # Widgets that begin to take input show the values that they change.
        self._show()
        self.connection.emit(connected, reason)

    def _end(self, job: Job, result: Any, error: str | None) -> None:
        if self._jobs.closed:
            # Who asked may be gone.
            return
        self._no_longer_pending(job)
        if job.rereads:
            self._readings.touch(job.rereads)
            self.readings_changed()
        if error is not None:
            (job.failed or self.failed.emit)(error)
            return
        if job.rereads:
            self.succeeded.emit()
        if job.done is not None:
            job.done(result)

    def _no_longer_pending(self, job: Job) -> None:
        for name in job.rereads:
            self._pending[name] = max(0, self._pending.get(name, 0) - 1)


_links: dict[str, DeviceLink] = {}


def link_to(device: str) -> DeviceLink:
    """Return the link to a device, the same one for every widget of this process.

    Raises:
        DeviceNameError: the text names no device.
    """
    name = parse_device_name(device)
    if name.tango not in _links:
        application = QtWidgets.QApplication.instance()
        if application is not None and not _links:
            application.aboutToQuit.connect(close_links)
        _links[name.tango] = DeviceLink(name)
    return _links[name.tango]


def close_links() -> None:
    """End the threads of all links, before the application ends."""
    while _links:
        _links.popitem()[1].close()
