"""Input fields for attributes; name, unit, limits and help are those of the parameters' table."""

import re

from taurus.external.qt import QtCore, QtGui, QtWidgets

from pipeline.model.parameters import ATTRIBUTES, Parameter

_DECIMALS = 8
_FIGURES = 8
_WIDEST = "2064.25"
"""The field is wide enough for this number and its unit."""
_FRAME = 14
"""Screen pixels of a field besides its text."""


def label_of(attribute: str) -> str:
    """Return an attribute's name as words, ``PhotonEnergy`` as ``Photon energy``."""
    words = re.findall("[A-Z][a-z0-9]*", attribute)
    return " ".join([words[0], *(word.lower() for word in words[1:])])


class NumberField(QtWidgets.QDoubleSpinBox):
    """A number; the arrow keys step it, Enter or leaving the field writes it.

    Signals:
        entered: the user entered a value.
    """

    entered = QtCore.Signal(float)

    def __init__(self, attribute: str, step: float) -> None:
        super().__init__()
        self.attribute = attribute
        parameter: Parameter = ATTRIBUTES[attribute]
        low, high = parameter.limits or (-1e12, 1e12)
        self._known = 0.0
        # The decimal sign must not depend on the locale.
        self.setLocale(QtCore.QLocale.c())
        self.setDecimals(0 if parameter.kind is int else _DECIMALS)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setKeyboardTracking(False)
        # Step buttons would take space from the image; the arrow keys step as well.
        self.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setCorrectionMode(QtWidgets.QAbstractSpinBox.CorrectionMode.CorrectToNearestValue)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        if parameter.unit:
            self.setSuffix(f" {parameter.unit}")
        text = self.fontMetrics().boundingRect(_WIDEST + self.suffix())
        self.setMinimumWidth(text.width() + _FRAME)
        unit = f" [{parameter.unit}]" if parameter.unit else ""
        limits = f"\n{low:g} … {high:g}" if parameter.limits else ""
        self.setToolTip(f"{attribute}{unit}: {parameter.help}{limits}\nArrow keys: ± {step:g}")
        self.setObjectName(attribute)
        self.valueChanged.connect(self._changed)

    def textFromValue(self, value: float) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Write a number without trailing zeros."""
        return f"{value:.{_FIGURES}g}"

    def show_value(self, value: float | None) -> None:
        """Show the device's value, unless the user is typing; disabled without a value."""
        self.setEnabled(value is not None)
        edit = self.lineEdit()
        typing = self.hasFocus() and edit is not None and edit.isModified()
        if value is None or typing:
            return
        self._known = float(value)
        with QtCore.QSignalBlocker(self):
            self.setValue(self._known)

    def wheelEvent(self, e: QtGui.QWheelEvent | None) -> None:
        """Ignore the wheel without focus, so that scrolling past a field does not change it."""
        if e is not None and not self.hasFocus():
            e.ignore()
            return
        super().wheelEvent(e)

    def keyPressEvent(self, e: QtGui.QKeyEvent | None) -> None:
        """Show the device's value again on Escape."""
        if e is not None and e.key() == QtCore.Qt.Key.Key_Escape:
            with QtCore.QSignalBlocker(self):
                self.setValue(self._known)
            self.clearFocus()
            return
        super().keyPressEvent(e)

    def _changed(self, value: float) -> None:
        if value != self._known:
            self._known = value
            self.entered.emit(value)


class CheckField(QtWidgets.QCheckBox):
    """A switch; clicking it writes it.

    Signals:
        entered: the user switched it.
    """

    entered = QtCore.Signal(bool)

    def __init__(self, attribute: str, help: str = "") -> None:
        super().__init__(label_of(attribute))
        self.attribute = attribute
        if not help and attribute in ATTRIBUTES:
            help = ATTRIBUTES[attribute].help
        self.setToolTip(f"{attribute}: {help}")
        self.setObjectName(attribute)
        self.clicked.connect(self.entered.emit)

    def show_value(self, value: bool | None) -> None:
        """Show the device's value; disabled without a value."""
        self.setEnabled(value is not None)
        self.setChecked(bool(value))
