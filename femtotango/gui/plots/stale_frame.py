"""A grey frame around an image that is no longer of now."""

from taurus.external.qt import QtCore, QtWidgets

_STYLE = "QLabel { border: 3px solid #8a8a8a; }"
_WORDS = "background: #8a8a8a; color: white; font-weight: bold; padding: 2px 8px"


class StaleFrame(QtWidgets.QLabel):
    """Lies on the image, which gets the mouse; says how old it is."""

    def __init__(self, canvas: QtWidgets.QWidget) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.words = QtWidgets.QLabel(self)
        self.words.setStyleSheet(_WORDS)
        self.setStyleSheet(_STYLE)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_age(self, words: str) -> None:
        """Show the frame with words in it; empty: the image is of now."""
        self.words.setText(words)
        self.words.adjustSize()
        self.setVisible(bool(words))
        self.fit()

    def fit(self) -> None:
        """Take the size of the image."""
        self.setGeometry(self._canvas.rect())
        self.words.move((self.width() - self.words.width()) // 2, 0)
        self.raise_()
