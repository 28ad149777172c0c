"""The window's side of a device: newest readings, Qt signals, and calls that never block."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tango
from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.device_link.chosen_camera import DETECTOR, OF_IMAGE, ChosenCamera
from femtotango.gui.device_link.history import History, ValueChange
from femtotango.gui.device_link.jobs import Job, JobQueue
from femtotango.gui.device_link.messenger import Messenger
from femtotango.gui.device_link.names import DeviceName, parse_device_name
from femtotango.gui.device_link.readings import Reading, Readings
from femtotango.gui.device_link.tango_thread import TangoThread, read_together
from femtotango.gui.device_link.watched import GEOMETRY_CAMERA, OF_ONE_CAMERA
from femtotango.gui.garbage import collect_in_this_thread

_GATHER_MS = 40
"""Changes within this time are shown in one redraw, which leaves time for mouse and keys."""


@dataclass(frozen=True)
class _Waiting:
    """Who gets the answer to a job."""

    done: Callable[[Any], None] | None
    failed: Callable[[str], None]


class DeviceLink(QtCore.QObject):
    """One device for all widgets of this process; lives in the window's thread.

    Signals:
        changed: frozenset of the attributes that have a new reading.
        connection: whether the device answers, and if not, why.
        failed: an error line for the user.
        told: a line for the user that is no error.
        succeeded: a call that changes something was done; earlier errors no longer matter.
        camera_chosen: the window looks at another camera: its stream, empty for the device's.
    """

    changed = QtCore.Signal(object)
    connection = QtCore.Signal(bool, str)
    failed = QtCore.Signal(str)
    told = QtCore.Signal(str)
    succeeded = QtCore.Signal()
    camera_chosen = QtCore.Signal(str)

    def __init__(self, name: DeviceName) -> None:
        super().__init__()
        self.name = name
        self.connected = False
        self.reason = ""
        self.history = History()
        self._readings = Readings()
        self._chosen = ChosenCamera()
        self._jobs = JobQueue()
        self._numbers = itertools.count()
        self._waiting: dict[int, _Waiting] = {}
        self._pending: dict[str, int] = {}
        self._gather = QtCore.QTimer(self)
        self._gather.setSingleShot(True)
        self._gather.setInterval(_GATHER_MS)
        self._gather.timeout.connect(self._show)
        self._messenger = Messenger()
        self._messenger.woken.connect(self._wake)
        self._messenger.ended.connect(self._end)
        self._messenger.connected.connect(self._change_connection)
        self._thread = TangoThread(name.tango, self._readings, self._jobs, self._messenger)
        self._thread.start()

    # Called by widgets

    @property
    def chosen_camera(self) -> str:
        """The camera that this window looks at; empty: the one that the device shows."""
        return self._chosen.name

    def choose_camera(self, camera: str) -> None:
        """Look at another camera, in this process only.

        Attributes of an image are then that camera's, under the same names.

        Args:
            camera: its stream; empty: whichever the device shows.
        """
        if camera == self._chosen.name:
            return
        self._chosen.name = camera
        self._thread.extra = self._chosen.attributes
        names = self._chosen.attributes or tuple(OF_IMAGE)
        self.call(lambda proxy: read_together(proxy, *names), key="chosen camera", rereads=names)
        self.changed.emit(frozenset((*OF_IMAGE, DETECTOR)))
        self.camera_chosen.emit(camera)

    def reading(self, name: str) -> Reading:
        """Return the newest reading of an attribute."""
        if name == DETECTOR and self._chosen.name:
            counted = self._readings.get(self._chosen.attribute("FrameCount"))
            return Reading(self._chosen.name if counted.value else "", counted.time)
        return self._readings.get(self._chosen.attribute(name))

    def value(self, name: str, default: Any = None) -> Any:
        """Return the newest value of an attribute, or the default when there is none."""
        value = self.reading(name).value
        return default if value is None else value

    def is_pending(self, name: str) -> bool:
        """Tell whether a write is under way; meanwhile widgets show what the user entered."""
        return self._pending.get(name, 0) > 0

    def write(self, name: str, value: Any) -> None:
        """Write an attribute; when it is refused, an error line and the old value are shown."""
        before = self.value(name)
        if before is not None and not np.array_equal(before, value):
            self.history.add(ValueChange(name, before, value))
        names, camera = (name,), self._chosen.name
        values = {name: value}
        if camera and name in OF_ONE_CAMERA:
            # The device would take it for the position of the camera that it shows.
            names, values = (name, GEOMETRY_CAMERA), {name: value, GEOMETRY_CAMERA: camera}

        def write(proxy: tango.DeviceProxy) -> None:
            for attribute, wanted in values.items():
                proxy.write_attribute(attribute, wanted)

        self.call(write, key=f"write {name}", rereads=names)

    def undo(self) -> None:
        """Undo the newest change of this window."""
        change = self.history.take_newest()
        if change is None:
            self.failed.emit("There is nothing to undo: this window has changed nothing.")
            return
        self.call(change.undo, rereads=change.attributes)

    def command(self, name: str, argument: Any = None, *, changes: tuple[str, ...] = ()) -> None:
        """Run a command.

        Args:
            name: the command.
            argument: its argument, if it takes one.
            changes: attributes that it changes.
        """
        self.call(lambda proxy: proxy.command_inout(name, argument), rereads=changes)

    def read(self, key: str, names: tuple[str, ...], done: Callable[[dict], None]) -> None:
        """Read attributes in one call; only the newest request with this key is made."""
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
        """Run a call to the device in the Tango thread.

        Args:
            run: called with the proxy, in the Tango thread; must hold nothing of Qt.
            key: a waiting call with the same key is replaced; empty: no call is.
            done: called with the result, in the window's thread.
            failed: called with the error text, which is then not shown as an error line.
            rereads: attributes that it changes.

        Raises:
            TypeError: `run` holds something of Qt, which could then be deleted in the wrong thread.
        """
        _check_free_of_qt(run)
        for name in rereads:
            self._pending[name] = self._pending.get(name, 0) + 1
        number = next(self._numbers)
        self._waiting[number] = _Waiting(done, failed or self.failed.emit)
        replaced = self._jobs.put(Job(key or f"call {number}", run, rereads, number))
        if replaced is not None:
            self._take_waiting(replaced)

    def refuse(self, text: str, *names: str) -> None:
        """Show an error line, and the old values of attributes, without a call to the device."""
        self.failed.emit(text)
        self._readings.touch(names)
        self._messenger.readings_changed()

    def close(self) -> None:
        """End the thread; the link is not used afterwards."""
        self._jobs.close()
        self._waiting.clear()
        self._thread.join(timeout=5.0)

    # In the window's thread

    def _wake(self) -> None:
        if not self._gather.isActive():
            self._gather.start()

    def _show(self) -> None:
        self._messenger.rest()
        names = self._chosen.as_widgets_know_them(self._readings.take_changed())
        if names:
            self.changed.emit(names)

    def _change_connection(self, connected: bool, reason: str) -> None:
        """Store whether the device answers and emit `connection`, in one step.

        A widget that is built before this step gets the signal, one built after it reads
        `connected`. If the Tango thread emitted `connection` itself, widgets built between the
        signal and this step would get neither, and stay disabled.
        """
        self.connected, self.reason = connected, reason
        # Fields must show the device's values before they take input.
        self._show()
        self.connection.emit(connected, reason)

    def _end(self, job: Job, result: Any, error: str | None) -> None:
        if self._jobs.closed:
            # The widget that asked may be deleted already.
            return
        waiting = self._take_waiting(job)
        if job.rereads:
            self._readings.touch(job.rereads)
            self._messenger.readings_changed()
        if error is not None:
            waiting.failed(error)
            return
        if job.rereads:
            self.succeeded.emit()
        if waiting.done is not None:
            waiting.done(result)

    def _take_waiting(self, job: Job) -> _Waiting:
        """Return who waits for a job that will give no other answer."""
        for name in job.rereads:
            self._pending[name] = max(0, self._pending.get(name, 0) - 1)
        return self._waiting.pop(job.number)


def _check_free_of_qt(run: Callable[..., Any]) -> None:
    cells = getattr(run, "__closure__", None) or ()
    held = [getattr(run, "__self__", None), *(cell.cell_contents for cell in cells)]
    if any(isinstance(one, QtCore.QObject) for one in held):
        raise TypeError(f"{run!r} holds a QObject, and is run and deleted in the Tango thread.")


_links: dict[str, DeviceLink] = {}


def link_to(device: str) -> DeviceLink:
    """Return the link to a device, the same one for every widget of this process.

    Raises:
        DeviceNameError: the text names no device.
    """
    name = parse_device_name(device)
    if name.tango not in _links:
        collect_in_this_thread()
        application = QtWidgets.QApplication.instance()
        if application is not None and not _links:
            application.aboutToQuit.connect(close_links)
        _links[name.tango] = DeviceLink(name)
    return _links[name.tango]


def close_links() -> None:
    """End the threads of all links before the application ends."""
    while _links:
        _links.popitem()[1].close()
