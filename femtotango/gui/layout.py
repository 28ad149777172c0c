"""The layout of the window, as the user left it."""

from collections.abc import Mapping
from dataclasses import asdict, fields

from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.panels.ring_menu import RingMenu
from femtotango.gui.plots.ring_style import RingStyle

_VERSION = 1
"""Of the parts of the window: what another one has written does not fit."""


def settings_of_user() -> QtCore.QSettings:
    """Return the file in which the viewer of this user remembers its layout."""
    return QtCore.QSettings("femtotango", "viewer")


class RememberedLayout:
    """Size and place of the window, the borders between its parts, the tab, how rings look."""

    def __init__(
        self,
        window: QtWidgets.QMainWindow,
        splitters: Mapping[str, QtWidgets.QSplitter],
        tabs: QtWidgets.QTabWidget,
        rings: RingMenu,
    ) -> None:
        self._window = window
        self._splitters = splitters
        self._tabs = tabs
        self._rings = rings

    def save(self, settings: QtCore.QSettings) -> None:
        """Write it down."""
        settings.setValue("version", _VERSION)
        settings.setValue("window", self._window.saveGeometry())
        for name, splitter in self._splitters.items():
            settings.setValue(name, splitter.saveState())
        settings.setValue("tab", self._tabs.tabText(self._tabs.currentIndex()))
        for name, chosen in asdict(self._rings.style_of_rings).items():
            settings.setValue(f"rings/{name}", chosen)
        settings.sync()

    def restore(self, settings: QtCore.QSettings) -> None:
        """Bring back what was written; nothing the first time."""
        if settings.value("version", 0, type=int) != _VERSION:
            return
        self._window.restoreGeometry(settings.value("window", QtCore.QByteArray()))
        for name, splitter in self._splitters.items():
            splitter.restoreState(settings.value(name, QtCore.QByteArray()))
        tab = settings.value("tab", "", type=str)
        for index in range(self._tabs.count()):
            if self._tabs.tabText(index) == tab:
                self._tabs.setCurrentIndex(index)
        chosen = {
            field.name: settings.value(f"rings/{field.name}", field.default, type=bool)
            for field in fields(RingStyle)
        }
        self._rings.choose(RingStyle(**chosen))
