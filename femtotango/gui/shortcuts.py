"""The keys of the window, and the list of them that F1 shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from taurus.external.qt import QtCore, QtGui, QtWidgets


@dataclass(frozen=True)
class Shortcut:
    """A key and what it does."""

    key: str
    does: str
    action: Callable[[], None]


IN_PARTS = (
    ("Escape", "stop drawing or picking; in a field, bring the old value back"),
    ("Delete", "remove the chosen ROIs or q values"),
    ("Enter", "send what was typed"),
)
"""Keys that the parts of the window take themselves."""


def install(window: QtWidgets.QWidget, shortcuts: Sequence[Shortcut]) -> None:
    """Make keys work in a window."""
    for shortcut in shortcuts:
        QtWidgets.QShortcut(QtGui.QKeySequence(shortcut.key), window).activated.connect(
            shortcut.action
        )


def list_of(window: QtWidgets.QWidget, shortcuts: Sequence[Shortcut]) -> QtWidgets.QMessageBox:
    """Return a dialog that lists the keys."""
    keys = [*((s.key, s.does) for s in shortcuts), *IN_PARTS]
    rows = "".join(
        f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{does}</td></tr>" for key, does in keys
    )
    dialog = QtWidgets.QMessageBox(window)
    dialog.setWindowTitle("Keys")
    dialog.setTextFormat(QtCore.Qt.TextFormat.RichText)
    dialog.setText(f"<table>{rows}</table>")
    dialog.setStandardButtons(QtWidgets.QMessageBox.StandardButton.Close)
    return dialog
