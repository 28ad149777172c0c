"""A desktop that is dark, then light; run under `dbus-run-session`. It prints what a window saw."""

import subprocess
import sys
import time
from collections.abc import Callable

from PyQt5 import QtCore, QtDBus, QtWidgets

from femtotango.gui.desktop import DesktopTheme
from femtotango.gui.plots.theme import DARK, LIGHT, theme_of

_NAME = "org.freedesktop.portal.Desktop"
_PATH = "/org/freedesktop/portal/desktop"
_SETTINGS = "org.freedesktop.portal.Settings"
_KEY = ("org.freedesktop.appearance", "color-scheme")
_PATIENCE = 60.0


def _number(value: int) -> QtCore.QVariant:
    argument = QtDBus.QDBusArgument(value, QtCore.QMetaType.UInt)
    return QtDBus.QDBusVariant(argument)


class Portal(QtDBus.QDBusAbstractAdaptor):
    """Answers that the desktop is dark."""

    QtCore.Q_CLASSINFO("D-Bus Interface", _SETTINGS)

    @QtCore.pyqtSlot(str, str, result=QtDBus.QDBusVariant)
    def Read(self, namespace: str, key: str) -> QtDBus.QDBusVariant:
        return _number(1 if (namespace, key) == _KEY else 0)


def _serve() -> None:
    application = QtCore.QCoreApplication(sys.argv)
    bus = QtDBus.QDBusConnection.sessionBus()
    owner = QtCore.QObject()
    owner.adaptor = Portal(owner)
    bus.registerObject(_PATH, owner)
    bus.registerService(_NAME)
    print("ready", flush=True)

    def become_light() -> None:
        sys.stdin.readline()
        signal = QtDBus.QDBusMessage.createSignal(_PATH, _SETTINGS, "SettingChanged")
        signal.setArguments([*_KEY, _number(0)])
        bus.send(signal)

    notifier = QtCore.QSocketNotifier(0, QtCore.QSocketNotifier.Type.Read)
    notifier.activated.connect(become_light)
    application.exec_()


def _wait(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + _PATIENCE
    while not condition() and time.monotonic() < end:
        QtWidgets.QApplication.processEvents()
        time.sleep(0.005)
    return condition()


def _look() -> None:
    application = QtWidgets.QApplication(sys.argv)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, __file__, "serve"], **pipes) as portal:
        portal.stdout.readline()
        theme = DesktopTheme(application)
        window = QtWidgets.QWidget()
        saw = [_wait(lambda: theme_of(window) == DARK)]
        portal.stdin.write("light\n")
        portal.stdin.flush()
        saw.append(_wait(lambda: theme_of(window) == LIGHT))
        portal.terminate()
        print("saw", theme is not None, *saw, flush=True)


if __name__ == "__main__":
    _serve() if "serve" in sys.argv else _look()
