"""Widgets as Qt knows them, whatever Python takes them for.

Python may know another widget at the address of one, of another kind, which Qt has deleted since:
PyQt finds that one, and what it is asked reads foreign memory.
"""

from typing import TypeVar

from PyQt5 import sip
from taurus.external.qt import QtCore, QtWidgets

W = TypeVar("W", bound=QtWidgets.QWidget)


def children_of(widget: QtWidgets.QWidget, kind: type[W]) -> list[W]:
    """Return the widgets of one of Qt's own kinds in another one, at any depth."""
    children = widget.findChildren(QtCore.QObject)
    of_kind = (child for child in children if child.inherits(kind.__name__))
    return [sip.cast(sip.cast(child, QtCore.QObject), kind) for child in of_kind]
