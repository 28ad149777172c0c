"""Base class of every part of the viewer: a Taurus widget whose model is the device."""

from typing import ClassVar

from taurus.external.qt import QtCore, QtWidgets
from taurus.qt.qtgui.container import TaurusWidget

from femtotango.gui.device_link.link import DeviceLink, link_to


class DeviceWidget(TaurusWidget):
    """A Taurus widget with the name of a FemtomaxAnalysis device as its model.

    Taurus itself does not connect, as it would wait for the device in the window's thread;
    instead all widgets of one device share a link.
    """

    watches: ClassVar[frozenset[str]] = frozenset()
    """Attributes; `refresh` is called when one of them changes."""

    _link: DeviceLink | None = None
    """None: no model was set. Qt may tell of a palette before the widget is complete."""

    def __init__(self, parent: QtWidgets.QWidget | None = None, designMode: bool = False) -> None:
        super().__init__(parent, designMode)

    def changeEvent(self, a0: QtCore.QEvent | None) -> None:
        """Show everything in other colours when the desktop becomes light or dark."""
        super().changeEvent(a0)
        if (
            a0 is not None
            and a0.type() == QtCore.QEvent.Type.PaletteChange
            and self._link is not None
            and self._link.connected
        ):
            self.refresh(self.watches)

    @property
    def link(self) -> DeviceLink:
        """The link to the device.

        Raises:
            RuntimeError: no model was set.
        """
        if self._link is None:
            raise RuntimeError(f"{type(self).__name__} has no device: call setModel(name) first.")
        return self._link

    def setModel(self, model: str | None, *, key: object = None) -> None:
        """Show another device.

        Args:
            model: its name, with or without database; None or empty: no device.
            key: passed by Taurus, not used.

        Raises:
            DeviceNameError: the text is no device name.
        """
        if self._link is not None:
            self._link.changed.disconnect(self._on_changed)
            self._link.connection.disconnect(self._on_connection)
            self._link = None
        if not model:
            return
        self._link = link_to(model)
        self._link.changed.connect(self._on_changed)
        self._link.connection.connect(self._on_connection)
        self._on_connection(self._link.connected, self._link.reason)
        if self.watches:
            self.refresh(self.watches)

    def getModel(self, key: object = None) -> str:
        """Return the Taurus name of the device; empty without one."""
        return self._link.name.taurus if self._link is not None else ""

    def resetModel(self, *, key: object = None) -> None:
        """Show no device."""
        self.setModel(None)

    model = QtCore.Property("QString", getModel, setModel, resetModel)

    def refresh(self, names: frozenset[str]) -> None:
        """Show new values.

        Args:
            names: attributes of `watches` that have a new reading.
        """

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Show whether the device answers, and why not."""

    def tell_saved(self, saved: bool, text: str) -> None:
        """Say whether a file was written."""
        (self.link.told if saved else self.link.failed).emit(text)

    def _on_changed(self, names: frozenset[str]) -> None:
        watched = names & self.watches
        if watched:
            self.refresh(watched)

    def _on_connection(self, connected: bool, reason: str) -> None:
        self.connection_changed(connected, reason)


class InputWidget(DeviceWidget):
    """A part with fields and buttons."""

    def connection_changed(self, connected: bool, reason: str) -> None:
        """Take input only while the device answers."""
        self.setEnabled(connected)
