"""Words and switches for attributes; name and help are those of the parameters' table."""

import re

from taurus.external.qt import QtCore, QtWidgets

from pipeline.model.parameters import ATTRIBUTES


def label_of(attribute: str) -> str:
    """Return an attribute's name as words, ``PhotonEnergy`` as ``Photon energy``."""
    words = re.findall("[A-Z][a-z0-9]*", attribute)
    return " ".join([words[0], *(word.lower() for word in words[1:])])


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
