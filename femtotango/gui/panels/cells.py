"""Cells of tables: what cannot be used turns the cell red, and is not sent."""

from collections.abc import Callable

from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.plots.colors import REFUSED

Check = Callable[[QtCore.QModelIndex, str], str]
"""Says why a text cannot be in a cell; empty: it can."""


class _Validator(QtGui.QValidator):
    """Keeps the cell open while its text cannot be used."""

    def __init__(self, editor: QtWidgets.QLineEdit, problem: Callable[[str], str]) -> None:
        super().__init__(editor)
        self._problem = problem

    def validate(self, a0: str | None, a1: int) -> tuple[QtGui.QValidator.State, str, int]:
        text = a0 or ""
        if self._problem(text):
            return QtGui.QValidator.State.Intermediate, text, a1
        return QtGui.QValidator.State.Acceptable, text, a1


class CheckedCells(QtWidgets.QStyledItemDelegate):
    """Edits the cells of a table; Enter takes only what passes a check.

    Signals:
        refused: the user entered what cannot be used; says why.
    """

    refused = QtCore.Signal(str)

    def __init__(self, table: QtWidgets.QTableWidget, check: Check) -> None:
        super().__init__(table)
        self._check = check

    def createEditor(
        self,
        parent: QtWidgets.QWidget | None,
        option: QtWidgets.QStyleOptionViewItem,
        index: QtCore.QModelIndex,
    ) -> QtWidgets.QWidget | None:
        """Make the line that is typed into, red while its text cannot be used."""
        editor = QtWidgets.QLineEdit(parent)
        editor.setFrame(False)
        problem = QtCore.QPersistentModelIndex(index)

        def judge(text: str) -> str:
            return self._check(QtCore.QModelIndex(problem), text.strip())

        def show(text: str) -> None:
            reason = judge(text)
            editor.setStyleSheet(REFUSED if reason else "")
            editor.setToolTip(reason)

        editor.setValidator(_Validator(editor, judge))
        editor.textChanged.connect(show)
        return editor

    def eventFilter(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, object: QtCore.QObject, event: QtCore.QEvent
    ) -> bool:
        """Say on Enter why a text cannot be used."""
        enter = (QtCore.Qt.Key.Key_Return, QtCore.Qt.Key.Key_Enter, QtCore.Qt.Key.Key_Tab)
        if (
            isinstance(object, QtWidgets.QLineEdit)
            and isinstance(event, QtGui.QKeyEvent)
            and event.type() == QtCore.QEvent.Type.KeyPress
            and event.key() in enter
            and not object.hasAcceptableInput()
        ):
            place = object.mapToGlobal(QtCore.QPoint(0, object.height()))
            QtWidgets.QToolTip.showText(place, object.toolTip(), object)
            self.refused.emit(f"{object.toolTip()} Nothing was sent.")
            return True
        return super().eventFilter(object, event)

    def setModelData(
        self,
        editor: QtWidgets.QWidget | None,
        model: QtCore.QAbstractItemModel | None,
        index: QtCore.QModelIndex,
    ) -> None:
        """Take the text when the cell is left, or keep the old one."""
        if isinstance(editor, QtWidgets.QLineEdit) and not editor.hasAcceptableInput():
            self.refused.emit(f"{editor.toolTip()} Nothing was sent.")
            return
        super().setModelData(editor, model, index)
