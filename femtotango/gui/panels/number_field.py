"""Input field for a number, which sends only what the attribute can take."""

from taurus.external.qt import QtCore, QtGui, QtWidgets

from femtotango.gui.numbers import number_from
from femtotango.gui.plots.colors import REFUSED
from pipeline.model.parameter import Parameter, ParameterError
from pipeline.model.parameters import ATTRIBUTES

_DECIMALS = 8
_FIGURES = 8
_WIDEST = "2064.25"
"""The field is wide enough for this number and its unit."""
_FRAME = 14
"""Screen pixels of a field besides its text."""
_WORDS_FOR_ZERO = {"PhotonEnergy": "not set", "Distance": "not set", "AzimuthalBins": "off"}
_LEAVING = (
    QtCore.Qt.FocusReason.PopupFocusReason,
    QtCore.Qt.FocusReason.ActiveWindowFocusReason,
)
"""The focus comes back to the field after these."""


class NumberField(QtWidgets.QDoubleSpinBox):
    """A number; the arrow keys step it, Enter or leaving the field writes it.

    What the attribute cannot take turns the field red, stays in it, and is not written.

    Signals:
        entered: the user entered a value.
        refused: the user entered what the attribute cannot take; says what it takes.
    """

    entered = QtCore.Signal(float)
    refused = QtCore.Signal(str)

    def __init__(self, attribute: str, step: float) -> None:
        super().__init__()
        self.attribute = attribute
        self._parameter: Parameter = ATTRIBUTES[attribute]
        parameter = self._parameter
        low, high = parameter.limits or (-1e12, 1e12)
        self._known = 0.0
        self.problem = ""
        """Why what is typed cannot be written; empty: it can."""
        # The decimal sign must not depend on the locale.
        self.setLocale(QtCore.QLocale.c())
        self.setDecimals(0 if parameter.kind is int else _DECIMALS)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setKeyboardTracking(False)
        # Step buttons would take space from the image; the arrow keys step as well.
        self.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setCorrectionMode(QtWidgets.QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        if parameter.unit:
            self.setSuffix(f" {parameter.unit}")
        text = self.fontMetrics().boundingRect(_WIDEST + self.suffix())
        self.setMinimumWidth(text.width() + _FRAME)
        unit = f" [{parameter.unit}]" if parameter.unit else ""
        limits = f"\n{low:g} … {high:g}" if parameter.limits else ""
        self._help = f"{attribute}{unit}: {parameter.help}{limits}\nArrow keys: ± {step:g}"
        self.setToolTip(self._help)
        self.setObjectName(attribute)
        if attribute in _WORDS_FOR_ZERO:
            self.setSpecialValueText(_WORDS_FOR_ZERO[attribute])
        self.valueChanged.connect(self._changed)
        edit = self.lineEdit()
        assert edit is not None
        edit.textEdited.connect(self._judge)

    @property
    def _typed(self) -> str:
        edit = self.lineEdit()
        return edit.text() if edit is not None else ""

    def _number(self, text: str) -> float:
        """Read what was typed.

        Raises:
            ValueError: it is no number that the attribute takes.
        """
        if text.strip() == _WORDS_FOR_ZERO.get(self.attribute):
            return 0.0
        try:
            number = number_from(text, self._parameter.unit)
        except ValueError as error:
            low_high = ""
            if self._parameter.limits is not None:
                low, high = self._parameter.limits
                low_high = f", {low:g} … {high:g} {self._parameter.unit}".rstrip()
            what = "a whole number" if self._parameter.kind is int else "a number"
            raise ValueError(
                f"{self.attribute}: {str(error).rstrip('.')}; expected {what}{low_high}."
            ) from error
        try:
            return float(self._parameter.check(number))
        except ParameterError as error:
            raise ValueError(
                f"{self.attribute}{str(error)[len(self._parameter.name) :]}"
            ) from error

    def _judge(self, text: str) -> None:
        """Turn red while what is typed cannot be written."""
        try:
            self._number(text)
        except ValueError as error:
            self.problem = str(error)
        else:
            self.problem = ""
        self._show_problem()

    def _show_problem(self) -> None:
        self.setStyleSheet(f"QDoubleSpinBox {{ {REFUSED} }}" if self.problem else "")
        self.setToolTip(self.problem or self._help)

    def _refuse(self) -> bool:
        """Say what is wrong with what is typed; false when nothing is."""
        self._judge(self._typed)
        if not self.problem:
            return False
        place = self.mapToGlobal(QtCore.QPoint(0, self.height()))
        QtWidgets.QToolTip.showText(place, self.problem, self)
        self.refused.emit(f"{self.problem} Nothing was sent.")
        return True

    def textFromValue(self, value: float) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Write a number without trailing zeros."""
        return f"{value:.{_FIGURES}g}"

    def valueFromText(self, text: str | None) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Read a number; a comma is a decimal point."""
        try:
            return self._number(text or "")
        except ValueError:
            return self.value()

    def validate(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input: str | None, pos: int
    ) -> tuple[QtGui.QValidator.State, str, int]:
        """Let anything be typed; what cannot be written is told when it is entered."""
        text = input or ""
        try:
            self._number(text)
        except ValueError:
            return QtGui.QValidator.State.Intermediate, text, pos
        return QtGui.QValidator.State.Acceptable, text, pos

    def show_value(self, value: float | None) -> None:
        """Show the device's value, unless the user is typing; disabled without a value."""
        self.setEnabled(value is not None)
        edit = self.lineEdit()
        typing = self.hasFocus() and edit is not None and edit.isModified()
        refused = bool(self.problem) and value == self._known
        if value is None or typing or refused:
            return
        self._show_known(float(value))

    def _show_known(self, value: float) -> None:
        self._known, self.problem = value, ""
        self._show_problem()
        with QtCore.QSignalBlocker(self):
            self.setValue(value)
            # Qt keeps the text when the value is the same.
            edit = self.lineEdit()
            special = self.specialValueText()
            shown = self.textFromValue(value) + self.suffix()
            if edit is not None:
                edit.setText(special if special and value == self.minimum() else shown)

    def stepBy(self, steps: int) -> None:
        """Step from a number that can be written only."""
        if not self._refuse():
            super().stepBy(steps)

    def wheelEvent(self, e: QtGui.QWheelEvent | None) -> None:
        """Ignore the wheel without focus, so that scrolling past a field does not change it."""
        if e is not None and not self.hasFocus():
            e.ignore()
            return
        super().wheelEvent(e)

    def event(self, event: QtCore.QEvent | None) -> bool:
        """Leave Ctrl+Z to the window once what was typed is entered."""
        edit = self.lineEdit()
        if (
            isinstance(event, QtGui.QKeyEvent)
            and event.type() == QtCore.QEvent.Type.ShortcutOverride
            and event.matches(QtGui.QKeySequence.StandardKey.Undo)
            and edit is not None
            and not edit.isModified()
        ):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, e: QtGui.QKeyEvent | None) -> None:
        """Write on Enter; show the device's value again on Escape."""
        if e is not None and e.key() == QtCore.Qt.Key.Key_Escape:
            self._show_known(self._known)
            self.clearFocus()
            return
        enter = (QtCore.Qt.Key.Key_Return, QtCore.Qt.Key.Key_Enter)
        if e is not None and e.key() in enter and self._refuse():
            return
        super().keyPressEvent(e)

    def focusOutEvent(self, e: QtGui.QFocusEvent | None) -> None:
        """Write when the field is left."""
        if e is None or e.reason() in _LEAVING or not self._refuse():
            super().focusOutEvent(e)
            return
        # The spin box would put the old value in the place of what is wrong.
        typed = self._typed
        with QtCore.QSignalBlocker(self):
            super().focusOutEvent(e)
        edit = self.lineEdit()
        if edit is not None:
            edit.setText(typed)

    def _changed(self, value: float) -> None:
        if value != self._known:
            self._known = value
            self.entered.emit(value)
