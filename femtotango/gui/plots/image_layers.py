"""The two layers of a live image: a preview of all of it, and finer pixels of what is seen."""

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtWidgets  # noqa: F401 - before silx, which takes the same Qt

from silx.gui.plot import PlotWidget  # isort: skip
from silx.gui.plot.items.image import ImageData  # isort: skip

from femtotango.gui.plots.image_colors import ImageColors
from femtotango.gui.plots.zoom import View


class ImageLayers:
    """Items of a plot, one above the other; integer coordinates are pixel centres.

    Args:
        plot: that shows them.
        colormap: of both.
    """

    def __init__(self, plot: PlotWidget, colormap: ImageColors) -> None:
        self._plot = plot
        self._colormap = colormap
        self.preview = self._new_layer("preview", z=0)
        self._finer: ImageData | None = None

    def _new_layer(self, name: str, z: int) -> ImageData:
        item = ImageData()
        item.setName(name)
        item.setColormap(self._colormap)
        item.setZValue(z)
        return item

    @property
    def top(self) -> ImageData:
        """The layer that is seen where there are both."""
        return self._finer if self._finer is not None else self.preview

    def show_preview(self, data: NDArray[np.float32], binning: int) -> None:
        """Show the whole image in blocks.

        Args:
            data: ``(ny, nx)`` values, NaN where masked.
            binning: image pixels per value, along x and y.
        """
        _place(self.preview, data, (0, 0), binning)
        if self.preview not in self._plot.getItems():
            self._plot.addItem(self.preview)
            self._plot.setActiveImage(self.preview)

    def show_finer(self, data: NDArray[np.float32], corner: tuple[int, int], binning: int) -> None:
        """Show finer pixels above the preview.

        Args:
            data: ``(ny, nx)`` values.
            corner: ``(x, y)`` of its first image pixel.
            binning: image pixels per value.
        """
        if self._finer is None:
            self._finer = self._new_layer("region", z=1)
            _place(self._finer, data, corner, binning)
            self._plot.addItem(self._finer)
            self._plot.setActiveImage(self._finer)
        else:
            _place(self._finer, data, corner, binning)

    def hide_finer(self) -> bool:
        """Show the preview alone; return whether there were finer pixels."""
        if self._finer is None:
            return False
        self._plot.removeItem(self._finer)
        self._finer = None
        if self.preview in self._plot.getItems():
            self._plot.setActiveImage(self.preview)
        return True

    def clear(self) -> None:
        """Show neither of them."""
        self.hide_finer()
        if self.preview in self._plot.getItems():
            self._plot.removeItem(self.preview)
        self.preview = self._new_layer("preview", z=0)

    def hide_covered_preview(self, view: View, shape: tuple[int, int] | None) -> None:
        """Hide the preview where the finer pixels cover what is seen.

        Args:
            view: the visible part.
            shape: ``(ny, nx)`` of the full image; None: there is none.
        """
        covered = False
        if self._finer is not None and shape is not None:
            ny, nx = shape
            (x, y), (scale, _) = self._finer.getOrigin(), self._finer.getScale()
            rows, columns = self._finer.getData(copy=False).shape
            covered = (
                x <= max(view.x_min, -0.5)
                and y <= max(view.y_min, -0.5)
                and x + columns * scale >= min(view.x_max, nx - 0.5)
                and y + rows * scale >= min(view.y_max, ny - 0.5)
            )
        self.preview.setVisible(not covered)

    def value_at(self, x: float, y: float) -> float | None:
        """Return the shown value at an image position, None outside."""
        data = self.top.getData(copy=False)
        (ox, oy), (sx, sy) = self.top.getOrigin(), self.top.getScale()
        column, row = int((x - ox) // sx), int((y - oy) // sy)
        if 0 <= row < data.shape[0] and 0 <= column < data.shape[1]:
            return float(data[row, column])
        return None


def _place(item: ImageData, data: NDArray[np.float32], corner: tuple[int, int], bins: int) -> None:
    item.setData(data, copy=False)
    item.setOrigin((corner[0] - 0.5, corner[1] - 0.5))
    item.setScale((bins, bins))
