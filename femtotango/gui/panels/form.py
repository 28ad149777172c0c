"""A form of attributes: shows the device's values, writes what the user enters."""

import functools
from collections.abc import Sequence

from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.panels.device_widget import InputWidget
from femtotango.gui.panels.fields import CheckField, label_of
from femtotango.gui.panels.number_field import NumberField
from pipeline.model.parameters import ATTRIBUTES


class FieldForm(InputWidget):
    """Fields with labels, one below the other."""

    def __init__(
        self,
        fields: Sequence[tuple[str, float | None]],
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        """Make the fields.

        Args:
            fields: attribute and its step for the arrow keys; None: a switch.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self.fields: dict[str, NumberField | CheckField] = {}
        form = QtWidgets.QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(3)
        form.setHorizontalSpacing(6)
        form.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(QtCore.Qt.AlignmentFlag.AlignLeft)
        for attribute, step in fields:
            field = CheckField(attribute) if step is None else NumberField(attribute, step)
            field.entered.connect(functools.partial(self._write, attribute))
            self.fields[attribute] = field
            if isinstance(field, CheckField):
                form.addRow(field)
                continue
            field.refused.connect(self._refused)
            label = QtWidgets.QLabel(label_of(attribute))
            label.setToolTip(field.toolTip())
            form.addRow(label, field)

    @property
    def watches(self) -> frozenset[str]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The attributes of the fields."""
        return frozenset(self.fields)

    def refresh(self, names: frozenset[str]) -> None:
        """Show new values."""
        for name in names & self.watches:
            if not self.link.is_pending(name):
                self.fields[name].show_value(self.link.value(name))

    def _refused(self, reason: str) -> None:
        self.link.failed.emit(reason)

    def _write(self, attribute: str, value: float | bool) -> None:
        self.link.write(attribute, ATTRIBUTES[attribute].kind(value))
