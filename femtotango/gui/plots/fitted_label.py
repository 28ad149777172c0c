"""A title that says less where there is less room."""

from collections.abc import Sequence

from taurus.external.qt import QtCore, QtGui, QtWidgets


class FittedLabel(QtWidgets.QLabel):
    """One line of rich text in several versions; the first that fits is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._versions: tuple[str, ...] = ("",)
        self._tool_tip = ""
        self.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.setTextFormat(QtCore.Qt.TextFormat.RichText)
        self.setMinimumWidth(1)
        self.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Preferred
        )

    @property
    def full_text(self) -> str:
        """The longest version."""
        return self._versions[0]

    def show_versions(self, versions: Sequence[str], tool_tip: str = "") -> None:
        """Show the longest version that fits.

        Args:
            versions: rich texts, the longest first.
            tool_tip: says more; without one it is the longest version when that is not shown.
        """
        self._versions, self._tool_tip = tuple(versions), tool_tip
        self._fit()

    def minimumSizeHint(self) -> QtCore.QSize:
        """Leave room for other things: there is always a version, even a cut one."""
        return QtCore.QSize(1, super().minimumSizeHint().height())

    def resizeEvent(self, a0: QtGui.QResizeEvent | None) -> None:
        """Choose again."""
        super().resizeEvent(a0)
        self._fit()

    def _fit(self) -> None:
        document = QtGui.QTextDocument()
        document.setDefaultFont(self.font())
        document.setDocumentMargin(0)
        chosen = self._versions[-1]
        for text in self._versions:
            document.setHtml(text)
            if document.idealWidth() <= self.width():
                chosen = text
                break
        if chosen != self.text():
            self.setText(chosen)
        self.setToolTip(self._tool_tip or ("" if chosen == self.full_text else self.full_text))
