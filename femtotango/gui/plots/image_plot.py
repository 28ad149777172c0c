"""A silx plot of one image with side histograms and colour scale."""

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtCore, QtGui, QtWidgets  # before silx, which takes the same Qt

from silx.gui.plot import PlotWindow  # isort: skip
from silx.gui.plot.items.image import ImageData  # isort: skip

from femtotango.gui.plots.color_limits import ColorLimits
from femtotango.gui.plots.image_colors import ImageColors
from femtotango.gui.plots.image_layers import ImageLayers
from femtotango.gui.plots.image_tools import ImageTools
from femtotango.gui.plots.light_axes import lighten
from femtotango.gui.plots.mask_overlay import MaskOverlay
from femtotango.gui.plots.side_histogram import (
    THICKNESS,
    SideHistogram,
    mean_of_valid,
    visible_pixels,
)
from femtotango.gui.plots.stale_frame import StaleFrame
from femtotango.gui.plots.theme import paint_icons, paint_plot, theme_of
from femtotango.gui.plots.zoom import View

_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 16, 8, 24
"""Space around the image for the numbers on its axes, screen pixels."""
_COLOR_BAR = 80
_SMALL = 0.85
"""Size of the letters of the readout, of the usual size."""
_MASKED = "#4a4a4a"


class ImagePlot(PlotWindow):
    """Image with colour scale and side histograms; integer coordinates are pixel centres.

    Signals:
        view_changed: limits or size of the plot changed.
        normalization_changed: how values become colours, by silx's name.
        pointed: mouse position ``(x, y)`` in image pixels.
    """

    view_changed = QtCore.Signal()
    normalization_changed = QtCore.Signal(str)
    pointed = QtCore.Signal(float, float)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent, backend="mpl")
        # It is part of a window, not a window of its own.
        self.setWindowFlags(QtCore.Qt.WindowType.Widget)
        self._shape: tuple[int, int] | None = None
        self._refit = QtCore.QTimer(self)
        self._refit.setSingleShot(True)
        self._refit.timeout.connect(self.resetZoom)
        lighten(self)
        self.setKeepDataAspectRatio(True)
        self.getYAxis().setInverted(True)
        self.getXAxis().setLabel("")
        self.getYAxis().setLabel("")
        self.setInteractiveMode("zoom")
        # Single hot pixels must not darken the rest.
        self._colormap = ImageColors("viridis", autoscaleMode=ImageColors.PERCENTILE)
        self._colormap.setNaNColor(QtGui.QColor(_MASKED))
        self.setDefaultColormap(self._colormap)
        self._colormap.sigChanged.connect(
            lambda: self.normalization_changed.emit(self.normalization)
        )
        self._layers = ImageLayers(self, self._colormap)
        self.mask_tint = MaskOverlay(self)
        self.columns = SideHistogram(self, False, _LEFT, _RIGHT)
        self.rows = SideHistogram(self, True, _TOP, _BOTTOM)
        self.readout = QtWidgets.QLabel()
        self.readout.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.tools = ImageTools(self)
        self.tools.copy_action.triggered.connect(self.copy_picture)
        self._lay_out()
        self.getXAxis().sigLimitsChanged.connect(self._limits_changed)
        self.getYAxis().sigLimitsChanged.connect(self._limits_changed)
        self.sigPlotSignal.connect(self._on_plot_signal)

    def _lay_out(self) -> None:
        bar = self.getColorBarWidget()
        bar.setVisible(True)
        # Without an image it would show the numbers of none.
        bar.setColormap(None)
        self.limits = ColorLimits(self._colormap, bar)
        self.limits.setFixedWidth(_COLOR_BAR)
        self.readout.setFixedSize(THICKNESS + _COLOR_BAR, THICKNESS)
        font = self.readout.font()
        font.setPointSizeF(_SMALL * font.pointSizeF())
        self.readout.setFont(font)
        centre = QtWidgets.QWidget(self)
        grid = QtWidgets.QGridLayout(centre)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.canvas, 0, 0)
        grid.addWidget(self.rows, 0, 1)
        grid.addWidget(self.limits, 0, 2)
        grid.addWidget(self.columns, 1, 0)
        grid.addWidget(self.readout, 1, 1, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setRowStretch(0, 1)
        self.setCentralWidget(centre)
        self.canvas.installEventFilter(self)
        paint_plot(self)
        paint_icons(self.tools, theme_of(self))
        self.stale = StaleFrame(self.canvas)

    def changeEvent(self, a0: QtCore.QEvent | None) -> None:
        """Take other colours when the desktop becomes light or dark."""
        super().changeEvent(a0)
        if a0 is not None and a0.type() == QtCore.QEvent.Type.PaletteChange:
            paint_plot(self)
            paint_icons(self.tools, theme_of(self))

    def copy_picture(self) -> None:
        """Copy a picture of what is seen."""
        clipboard = QtWidgets.QApplication.clipboard()
        if clipboard is not None:
            clipboard.setPixmap(self.grab())

    @property
    def canvas(self) -> QtWidgets.QWidget:
        """The widget that shows the image and gets the mouse."""
        handle = self.getWidgetHandle()
        if handle is None:
            raise RuntimeError("the plot's backend has no widget; use silx's matplotlib backend")
        return handle

    def eventFilter(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, watched: QtCore.QObject, event: QtCore.QEvent
    ) -> bool:
        """Keep the side histograms in line with the image when the plot is resized."""
        if event.type() == QtCore.QEvent.Type.Resize:
            x, y = 1 / max(self.canvas.width(), 100), 1 / max(self.canvas.height(), 100)
            self.setAxesMargins(_LEFT * x, _TOP * y, _RIGHT * x, _BOTTOM * y)
            self.stale.fit()
            if self._refit.isActive() or self._shows_whole():
                # silx would zoom out a little more with each new size.
                self._refit.start()
            self.view_changed.emit()
        return super().eventFilter(watched, event)

    @property
    def view(self) -> View:
        """The visible part of the image."""
        x_min, x_max = self.getXAxis().getLimits()
        y_min, y_max = self.getYAxis().getLimits()
        _, _, width, height = self.getPlotBoundsInPixels()
        # A scaled screen has more pixels than Qt counts.
        scale = self.canvas.devicePixelRatioF()
        return View(x_min, x_max, y_min, y_max, round(width * scale), round(height * scale))

    @property
    def image_shape(self) -> tuple[int, int] | None:
        """``(ny, nx)`` of the full image; None before the first."""
        return self._shape

    @property
    def preview(self) -> NDArray[np.float32]:
        """``(ny, nx)`` blocks of the whole image; empty before the first."""
        return self._layers.preview.getData(copy=False)

    @property
    def preview_binning(self) -> int:
        """Image pixels per block and side."""
        return round(self._layers.preview.getScale()[0])

    @property
    def shown(self) -> ImageData:
        """The image item on top."""
        return self._layers.top

    def show_preview(self, data: NDArray[np.float32], binning: int, shape: tuple[int, int]) -> None:
        """Show the whole image in blocks; a new shape resets the view.

        Args:
            data: ``(ny, nx)`` block means or maxima, NaN where masked.
            binning: image pixels per value, along x and y.
            shape: ``(ny, nx)`` of the full image.
        """
        self._layers.show_preview(data, binning)
        if shape != self._shape:
            self._shape = shape
            self.hide_region()
            self.resetZoom()
        self._draw_sides()

    def clear_image(self) -> None:
        """Show no image, and nothing that belongs to one."""
        self._shape = None
        self.hide_region()
        self._layers.clear()
        self._draw_sides()
        self.readout.clear()

    def show_region(self, data: NDArray[np.float32], corner: tuple[int, int], binning: int) -> None:
        """Show finer pixels above the preview.

        Args:
            data: ``(ny, nx)`` values.
            corner: ``(x, y)`` of its first image pixel.
            binning: image pixels per value.
        """
        self._layers.show_finer(data, corner, binning)
        self._hide_covered_preview()
        self._draw_sides()

    def hide_region(self) -> None:
        """Show the preview alone."""
        if self._layers.hide_finer():
            self._hide_covered_preview()
            self._draw_sides()

    def _hide_covered_preview(self) -> None:
        """Hide the preview where the finer pixels cover the view."""
        self._layers.hide_covered_preview(self.view, self._shape)

    def _shows_whole(self) -> bool:
        """Tell whether no pixel of the image is out of sight."""
        if self._shape is None:
            return False
        (ny, nx), view = self._shape, self.view
        # Less than half a pixel is rounding.
        return max(view.x_min, view.y_min) < 0 and view.x_max > nx - 1 and view.y_max > ny - 1

    def resetZoom(self, dataMargins: object = None) -> None:
        """Show exactly the whole image: rings and ROIs may reach far beyond it."""
        if self._shape is not None:
            ny, nx = self._shape
            self.setLimits(-0.5, nx - 0.5, -0.5, ny - 0.5)

    @property
    def normalization(self) -> str:
        """How values become colours, ``linear``, ``sqrt`` or ``log``."""
        return self._colormap.getNormalization()

    @normalization.setter
    def normalization(self, name: str) -> None:
        self._colormap.setNormalization(name)

    def value_at(self, x: float, y: float) -> float | None:
        """Return the shown value at an image position, None outside."""
        return self._layers.value_at(x, y)

    def _limits_changed(self, *_: float) -> None:
        self._hide_covered_preview()
        self._draw_sides()
        self.view_changed.emit()

    def _draw_sides(self) -> None:
        self.mask_tint.draw(self.shown)
        self.limits.show_limits_of(self.shown)
        data, view = self.shown.getData(copy=False), self.view
        (ox, oy), (sx, sy) = self.shown.getOrigin(), self.shown.getScale()
        rows = visible_pixels(view.y_min, view.y_max, oy, sy, data.shape[0])
        columns = visible_pixels(view.x_min, view.x_max, ox, sx, data.shape[1])
        visible = data[rows, columns]
        if visible.size == 0:
            self.columns.clear()
            self.rows.clear()
            return
        x_edges = ox + sx * np.arange(columns.start, columns.stop + 1)
        y_edges = oy + sy * np.arange(rows.start, rows.stop + 1)
        self.columns.show_means(x_edges, mean_of_valid(visible, 0), (view.x_min, view.x_max))
        self.rows.show_means(y_edges, mean_of_valid(visible, 1), (view.y_min, view.y_max))

    def _on_plot_signal(self, event: dict) -> None:
        if event["event"] == "mouseMoved":
            self.pointed.emit(event["x"], event["y"])
