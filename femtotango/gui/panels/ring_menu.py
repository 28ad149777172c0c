"""The menu that says how rings are drawn in this window."""

from dataclasses import fields

from taurus.external.qt import QtCore, QtWidgets

from femtotango.gui.plots.ring_style import RingStyle

_WORDS = {
    "visible": "Show rings",
    "thin": "Thin lines",
    "labels": "q at the rings",
    "outside": "Only outside of the data",
}


class RingMenu(QtWidgets.QToolButton):
    """A button with the choices.

    Signals:
        chosen: a `RingStyle`.
    """

    chosen = QtCore.Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setText("Rings")
        self.setToolTip("How rings are drawn in this window.")
        self.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QtWidgets.QMenu(self)
        menu.setToolTipsVisible(True)
        self.choices: dict[str, QtWidgets.QAction] = {}
        for field in fields(RingStyle):
            action = QtWidgets.QAction(_WORDS[field.name], menu)
            action.setCheckable(True)
            action.setChecked(bool(field.default))
            action.toggled.connect(lambda _: self.chosen.emit(self.style_of_rings))
            menu.addAction(action)
            self.choices[field.name] = action
        self.choices["outside"].setToolTip("In gaps, on masked pixels, at the edge of the image.")
        self.setMenu(menu)

    @property
    def style_of_rings(self) -> RingStyle:
        """What is chosen."""
        return RingStyle(**{name: action.isChecked() for name, action in self.choices.items()})

    def choose(self, style: RingStyle) -> None:
        """Choose a style."""
        for name, action in self.choices.items():
            action.setChecked(getattr(style, name))
