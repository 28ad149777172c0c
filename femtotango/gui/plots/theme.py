"""Colours of plots and words on a light and on a dark window; the window's palette decides."""

from dataclasses import dataclass

import numpy as np
from taurus.external.qt import QtCore, QtGui, QtWidgets  # before silx, which takes the same Qt

from silx.gui.plot import PlotWidget  # isort: skip
from silx.gui.utils.image import convertArrayToQImage, convertQImageToArray  # isort: skip

_HALF = 128
_ORIGINAL = "icon on light windows"
_GREY = 40
"""Colours that differ by less are grey, of 255."""


@dataclass(frozen=True)
class Theme:
    """Colours that are read well on one background."""

    background: str
    """Of plots."""
    text: str
    faint: str
    """Of what is less important, as a grid."""
    line: str
    """Of the only curve of a plot."""
    good: str
    warning: str
    error: str


LIGHT = Theme("#ffffff", "#000000", "#606060", "#1f4e9e", "#2e7d32", "#a05a00", "#c62828")
DARK = Theme("#1e1e1e", "#e4e4e4", "#a0a0a0", "#7fb2ff", "#7ccf83", "#ffb454", "#ff8a80")


def theme_of(widget: QtWidgets.QWidget) -> Theme:
    """Return the colours for the palette that a widget has."""
    window = widget.palette().color(QtGui.QPalette.ColorRole.Window)
    return DARK if window.lightness() < _HALF else LIGHT


def paint_plot(plot: PlotWidget) -> None:
    """Give a plot the colours of its window."""
    theme = theme_of(plot)
    plot.setBackgroundColor(theme.background)
    plot.setForegroundColor(theme.text)
    plot.setGridColor(theme.faint)


def paint_icons(bar: QtWidgets.QToolBar, theme: Theme) -> None:
    """Make the grey parts of a tool bar's icons as light as text: silx draws them black.

    Args:
        bar: whose icons.
        theme: of the plot around it; the bar itself may hear later that the desktop is dark now.
    """
    dark = theme is DARK
    for action in bar.actions():
        original = action.property(_ORIGINAL)
        if original is None and not action.icon().isNull():
            original = action.icon()
            action.setProperty(_ORIGINAL, original)
        if original is not None:
            action.setIcon(_lightened(original, bar.iconSize()) if dark else original)


def _lightened(icon: QtGui.QIcon, size: QtCore.QSize) -> QtGui.QIcon:
    pixels = convertQImageToArray(icon.pixmap(size).toImage())
    colors = pixels[..., :3]
    grey = np.ptp(colors, axis=-1) < _GREY
    colors[grey] = 255 - colors[grey]
    return QtGui.QIcon(QtGui.QPixmap.fromImage(convertArrayToQImage(pixels)))


def dark_palette() -> QtGui.QPalette:
    """Return the palette of a dark window."""
    palette = QtGui.QPalette()
    roles = QtGui.QPalette.ColorRole
    for color, names in {
        "#383838": ("Window", "Button", "AlternateBase"),
        "#525252": ("Light", "Midlight"),
        "#1a1a1a": ("Dark", "Mid", "Shadow"),
        DARK.background: ("Base", "ToolTipBase"),
        DARK.text: ("WindowText", "Text", "ButtonText", "ToolTipText", "BrightText"),
        "#3d6fb4": ("Highlight",),
        "#ffffff": ("HighlightedText",),
        DARK.line: ("Link",),
        "#8a8a8a": ("PlaceholderText",),
    }.items():
        for name in names:
            palette.setColor(getattr(roles, name), QtGui.QColor(color))
    for name in ("WindowText", "Text", "ButtonText"):
        palette.setColor(
            QtGui.QPalette.ColorGroup.Disabled, getattr(roles, name), QtGui.QColor("#777777")
        )
    return palette
