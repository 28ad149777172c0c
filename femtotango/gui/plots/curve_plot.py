"""A small silx plot of curves that shows everything until the user zooms."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtCore, QtWidgets  # before silx, which takes the same Qt

from silx.gui.plot import PlotWindow  # isort: skip
from silx.gui.plot.actions.control import YAxisLogarithmicAction  # isort: skip
from silx.gui.plot.items.marker import XMarker  # isort: skip

from femtotango.gui.plots.light_axes import lighten
from femtotango.gui.plots.saving import (
    CURVES,
    ask_for_file,
    with_ending,
    write_columns,
    write_picture,
)
from femtotango.gui.plots.theme import paint_icons, paint_plot, theme_of

_LEFT, _RIGHT, _TOP, _BOTTOM = 88, 22, 8, 48
"""Space around the curves for numbers and labels, screen pixels."""
_MOST_Y = 4
"""A tab has room for so few numbers, one above the other."""
_ICON = 16
_MOST_VALUES = 6
"""So many curves are told at the mouse."""


class CurvePlot(PlotWindow):
    """Curves with their tools at the side, as a tab has little height.

    Signals:
        saved: whether a file was written, and a sentence about it.
    """

    saved = QtCore.Signal(bool, str)

    def __init__(
        self,
        x_label: str,
        y_label: str,
        parent: QtWidgets.QWidget | None = None,
        logarithmic: bool = True,
    ) -> None:
        super().__init__(parent, backend="mpl")
        # It is part of a window, not a window of its own.
        self.setWindowFlags(QtCore.Qt.WindowType.Widget)
        self.columns: dict[str, NDArray[np.float64]] = {}
        """What a file gets: the axis, then curves and errors by name."""
        self._choose_tools(logarithmic)
        lighten(self, _MOST_Y)
        self.getXAxis().setLabel(x_label)
        self.getYAxis().setLabel(y_label)
        self.setDataMargins(0.02, 0.02, 0.05, 0.08)
        self._automatic: tuple[float, ...] | None = None
        self.setMinimumHeight(120)
        self.readout = QtWidgets.QLabel(self)
        self.readout.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.readout.hide()
        self.hint = QtWidgets.QLabel(self)
        self.hint.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hint.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.hint.hide()
        self._paint()
        self.sigPlotSignal.connect(self._on_plot_signal)
        handle = self.getWidgetHandle()
        if handle is not None:
            handle.installEventFilter(self)

    def _paint(self) -> None:
        paint_plot(self)
        paint_icons(self._tools, theme_of(self))
        theme = theme_of(self)
        self.readout.setStyleSheet(
            f"background: {theme.background}; color: {theme.text}; padding: 1px 4px"
        )

    def changeEvent(self, a0: QtCore.QEvent | None) -> None:
        """Take other colours when the desktop becomes light or dark."""
        super().changeEvent(a0)
        if a0 is not None and a0.type() == QtCore.QEvent.Type.PaletteChange:
            self._paint()

    def _choose_tools(self, with_logarithm: bool) -> None:
        output = self.getOutputToolBar()
        for bar in (self.getInteractiveModeToolBar(), self.toolBar(), output):
            self.removeToolBar(bar)
        logarithmic = YAxisLogarithmicAction(self, parent=self)
        logarithmic.toggled.connect(lambda _: self.resetZoom())
        tools = QtWidgets.QToolBar("Curve", self)
        tools.setMovable(False)
        tools.setIconSize(QtCore.QSize(_ICON, _ICON))
        # silx's own action drops the names of the curves and changes the ending of the file.
        self.save_action = QtWidgets.QAction(output.getSaveAction().icon(), "Save …", self)
        self.save_action.setToolTip("Save the curves with their names, or a picture.")
        self.save_action.triggered.connect(self._ask_to_save)
        tools.addAction(self.getResetZoomAction())
        if with_logarithm:
            tools.addAction(logarithmic)
        tools.addAction(self.save_action)
        self.addToolBar(QtCore.Qt.ToolBarArea.RightToolBarArea, tools)
        self._tools = tools

    def _ask_to_save(self) -> None:
        dialog = ask_for_file(self, "Save curves", CURVES)
        dialog.fileSelected.connect(
            lambda file: self.save(with_ending(file, dialog.selectedNameFilter(), CURVES))
        )

    def save(self, file: Path) -> None:
        """Write the curves, or a picture of them when the file ends in ``.png``."""
        try:
            if file.suffix.lower() == ".png":
                write_picture(file, self)
            elif not self.columns:
                raise OSError("there is no curve to save yet.")
            else:
                write_columns(file, self.columns)
        except OSError as error:
            self.saved.emit(False, f"Not saved: {error}")
            return
        self.saved.emit(True, f"Saved {file}.")

    def eventFilter(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, watched: QtCore.QObject, event: QtCore.QEvent
    ) -> bool:
        """Keep the space for numbers and labels at every size."""
        handle = self.getWidgetHandle()
        if event.type() == QtCore.QEvent.Type.Leave:
            self.readout.hide()
        if event.type() == QtCore.QEvent.Type.Resize and handle is not None:
            self._place_hint()
            x, y = 1 / max(handle.width(), 120), 1 / max(handle.height(), 80)
            self.setAxesMargins(_LEFT * x, _TOP * y, _RIGHT * x, _BOTTOM * y)
        return super().eventFilter(watched, event)

    def show_hint(self, text: str) -> None:
        """Say in the middle of the plot why there is no curve; empty: there is one."""
        self.hint.setText(text)
        self.hint.setVisible(bool(text))
        self._place_hint()

    def _place_hint(self) -> None:
        """Put the hint between the axes."""
        if (handle := self.getWidgetHandle()) is not None:
            corner = handle.mapTo(self, QtCore.QPoint(_LEFT, _TOP))
            space = QtCore.QSize(_LEFT + _RIGHT, _TOP + _BOTTOM)
            self.hint.setGeometry(QtCore.QRect(corner, handle.size() - space))

    def _on_plot_signal(self, event: dict) -> None:
        if event["event"] == "mouseMoved":
            self._point(event["x"])

    def _point(self, x: float) -> None:
        """Tell the values at the mouse, of the point that is nearest along the axis."""
        handle, lines = self.getWidgetHandle(), values_at(self.columns, x)
        self.readout.setVisible(bool(lines) and handle is not None)
        if handle is None or not lines:
            return
        self.readout.setText("   ".join(lines))
        self.readout.adjustSize()
        # Below the axis, beside its label: there it hides no point.
        corner = handle.mapTo(self, QtCore.QPoint(handle.width() - _RIGHT, handle.height()))
        size = self.readout.size()
        self.readout.move(max(0, corner.x() - size.width()), corner.y() - size.height())

    def resetZoom(self, dataMargins: object = None) -> None:
        """Show everything, and keep doing so for new data."""
        super().resetZoom()
        self._automatic = self._limits()

    def show_empty(self, low: float, high: float) -> None:
        """Show an axis without a curve; the next curve is shown as a whole.

        Args:
            low: begin of the x axis.
            high: its end.
        """
        self.setLimits(low, high, 0.0, 1.0)
        self._automatic = self._limits()

    def follow(self, highest: float | None = None) -> None:
        """Show everything, unless the user zoomed.

        Args:
            highest: upper limit of the axis; None: as high as the curve.
        """
        if self._automatic is not None and self._automatic != self._limits():
            return
        self.resetZoom()
        low, high = self.getYAxis().getLimits()
        if highest is not None and low < highest < high:
            self.getYAxis().setLimits(low if self.getYAxis().getScale() == "log" else 0.0, highest)
            self._automatic = self._limits()

    def _limits(self) -> tuple[float, ...]:
        return (*self.getXAxis().getLimits(), *self.getYAxis().getLimits())

    def draw_lines(self, lines: Sequence[tuple[str, float, str]]) -> None:
        """Replace the vertical lines.

        Args:
            lines: text, position and colour of each.
        """
        named = {f"line {index}": line for index, line in enumerate(lines)}
        for item in [i for i in self.getItems() if isinstance(i, XMarker)]:
            if item.getName().startswith("line ") and item.getName() not in named:
                self.removeItem(item)
        for name, (text, position, color) in named.items():
            self.addXMarker(position, legend=name, text=text, color=color)


def values_at(columns: Mapping[str, NDArray[np.float64]], x: float) -> list[str]:
    """Return the values of the point nearest to a position, as texts with their names.

    Args:
        columns: the axis, then curves and errors, by name.
        x: position on the axis.
    """
    names = list(columns)
    if not names or not len(columns[names[0]]):
        return []
    axis, curves = names[0], [name for name in names[1:] if not name.endswith("error")]
    at = np.asarray(columns[axis])
    if not np.isfinite(at).any():
        return []
    nearest = int(np.nanargmin(np.abs(at - x)))
    values = [(name, float(columns[name][nearest])) for name in curves]
    told = [f"{name}: {value:.5g}" for name, value in values if np.isfinite(value)]
    more = ["…"] if len(told) > _MOST_VALUES else []
    return [f"{axis}: {at[nearest]:.6g}", *told[:_MOST_VALUES], *more]
