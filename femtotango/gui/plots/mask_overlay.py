"""Masked pixels as a half-transparent tint above the image."""

import numpy as np
from taurus.external.qt import QtWidgets  # noqa: F401 - before silx, which takes the same Qt

from silx.gui.plot import PlotWidget  # isort: skip
from silx.gui.plot.items.image import ImageData, ImageRgba  # isort: skip

_TINT = (214, 39, 40, 110)
"""Red, green, blue, opacity."""


class MaskOverlay:
    """Tints the pixels without a value; off until `show` is called."""

    def __init__(self, plot: PlotWidget) -> None:
        self._plot = plot
        self._item = ImageRgba()
        self._item.setName("mask")
        self._item.setZValue(2)
        self._on = False

    @property
    def is_drawn(self) -> bool:
        """True while something is tinted."""
        return self._item in self._plot.getItems()

    def show(self, on: bool, image: ImageData) -> None:
        """Begin or end to tint."""
        if on != self._on:
            self._on = on
            self.draw(image)

    def draw(self, image: ImageData) -> None:
        """Tint the pixels of an image item that have no value."""
        masked = np.isnan(image.getData(copy=False)) if self._on else np.zeros((0, 0), bool)
        if not masked.any():
            if self.is_drawn:
                self._plot.removeItem(self._item)
            return
        tint = np.zeros((*masked.shape, 4), np.uint8)
        tint[masked] = _TINT
        self._item.setData(tint, copy=False)
        self._item.setOrigin(image.getOrigin())
        self._item.setScale(image.getScale())
        if not self.is_drawn:
            self._plot.addItem(self._item)
