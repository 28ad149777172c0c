"""Light or dark, as the desktop is; Qt 5 knows it from some desktops only.

Others tell it by D-Bus: flatpak.github.io/xdg-desktop-portal, `org.freedesktop.appearance`.
"""

from importlib import import_module
from typing import Any

from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.plots.theme import dark_palette

_SERVICE, _PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
_INTERFACE = "org.freedesktop.portal.Settings"
_NAMESPACE, _KEY = "org.freedesktop.appearance", "color-scheme"
_PREFERS_DARK = 1
_PATIENCE_MS = 500

_dbus: Any = import_module(f"{QtCore.QObject.__module__.partition('.')[0]}.QtDBus")


class DesktopTheme(QtCore.QObject):
    """Keeps the palette of the application as the desktop wants it."""

    def __init__(self, application: QtWidgets.QApplication, dark: bool | None = None) -> None:
        """Choose the palette.

        Args:
            application: whose.
            dark: whether it is dark; None: as the desktop is.
        """
        super().__init__(application)
        self._application = application
        self._style, self._palette = application.style().objectName(), application.palette()
        if dark is not None:
            self.set_dark(dark)
            return
        bus = _dbus.QDBusConnection.sessionBus()
        if not bus.isConnected():
            return
        self.set_dark(_prefers_dark(bus))
        bus.connect(_SERVICE, _PATH, _INTERFACE, "SettingChanged", self._changed)

    def set_dark(self, dark: bool) -> None:
        """Use dark colours, or those that Qt has by itself."""
        if dark:
            # Other styles of Qt 5 do not use all colours of a palette.
            self._application.setStyle("Fusion")
            self._application.setPalette(dark_palette())
        else:
            self._application.setStyle(self._style)
            self._application.setPalette(self._palette)

    @QtCore.Slot(_dbus.QDBusMessage)
    def _changed(self, message: Any) -> None:
        namespace, key, value = message.arguments()
        if (namespace, key) == (_NAMESPACE, _KEY):
            self.set_dark(_plain(value) == _PREFERS_DARK)


def _prefers_dark(bus: Any) -> bool:
    call = _dbus.QDBusMessage.createMethodCall(_SERVICE, _PATH, _INTERFACE, "Read")
    call.setArguments([_NAMESPACE, _KEY])
    answer = bus.call(call, _dbus.QDBus.Block, _PATIENCE_MS)
    if answer.type() != _dbus.QDBusMessage.ReplyMessage or not answer.arguments():
        # There is no portal: the desktop says nothing.
        return False
    return _plain(answer.arguments()[0]) == _PREFERS_DARK


def _plain(value: Any) -> Any:
    """Return what is in D-Bus variants; the portal's answer has two, one in the other."""
    while hasattr(value, "variant"):
        value = value.variant()
    return value
