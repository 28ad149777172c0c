"""A window in which bad pixels are marked: silx's mask tools on all pixels of the image."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from taurus.external.qt import QtCore, QtWidgets  # before silx, which takes the same Qt

from silx.gui.colors import Colormap  # isort: skip
from silx.gui.plot import PlotWindow  # isort: skip
from silx.gui.plot.MaskToolsWidget import MaskToolsWidget  # isort: skip

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.shown import shown_image
from femtotango.gui.panels.finer_pixels import Answer, fetch_all
from femtotango.gui.plots.saving import MASKS, ask_for_file, with_ending, write_pixels

_TOOLS = 320
"""Width of the tools [screen pixel]."""


def open_mask_drawing(parent: QtWidgets.QWidget, link: DeviceLink) -> None:
    """Fetch all pixels of the shown image, and open the window with them.

    The preview and the region that the viewer shows are blocks: a mask is of detector pixels.
    """
    image = shown_image(link)
    if image is None:
        link.failed.emit("No mask can be drawn: there is no image yet.")
        return

    def show(answer: Answer) -> None:
        window = MaskDrawing(parent, link, image.detector, answer[1])
        window.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        window.show()

    fetch_all(link, "pixels to mask", image.shape, show)


class MaskDrawing(QtWidgets.QDialog):
    """Draws rectangles, polygons and freehand lines on one image, and uses them as its mask."""

    def __init__(
        self,
        parent: QtWidgets.QWidget | None,
        link: DeviceLink,
        camera: str,
        pixels: NDArray[np.float32],
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Mask of {camera}")
        self._link, self._camera = link, camera
        self.plot = PlotWindow(self, backend="mpl", mask=False, roi=False, fit=False, save=False)
        self.plot.setWindowFlags(QtCore.Qt.WindowType.Widget)
        self.plot.setKeepDataAspectRatio(True)
        self.plot.getYAxis().setInverted(True)
        colormap = Colormap("viridis", autoscaleMode=Colormap.PERCENTILE)
        # Pixel i covers i - 0.5 … i + 0.5, as everywhere.
        self.plot.addImage(pixels, colormap=colormap, origin=(-0.5, -0.5), resetzoom=True)
        self.tools = MaskToolsWidget(self, plot=self.plot)
        self.tools.setDirection(QtWidgets.QBoxLayout.Direction.TopToBottom)
        self.tools.setFixedWidth(_TOOLS)
        # What is masked already has no value: the new mask holds it too.
        self.tools.setSelectionMask(np.isnan(pixels).astype(np.uint8))
        self.use = QtWidgets.QPushButton("Save and use …")
        self.use.setToolTip(
            "Save the mask in a file that the device can read as well, and use it with LoadMask."
        )
        self.use.setAutoDefault(False)
        self.use.clicked.connect(self._ask)
        side = QtWidgets.QVBoxLayout()
        side.addWidget(self.tools)
        side.addStretch(1)
        side.addWidget(self.use)
        layout = QtWidgets.QHBoxLayout(self)
        layout.addWidget(self.plot, 1)
        layout.addLayout(side)
        self.resize(1100, 750)

    @property
    def marked(self) -> NDArray[np.uint8]:
        """``(ny, nx)`` of the whole detector, 1 where a pixel is marked."""
        mask = self.tools.getSelectionMask(copy=False)
        assert mask is not None, "the plot has had an image since it was made"
        return (mask > 0).astype(np.uint8)

    def _ask(self) -> None:
        dialog = ask_for_file(self, "Save mask", MASKS)
        dialog.fileSelected.connect(
            lambda file: self.save(with_ending(file, dialog.selectedNameFilter(), MASKS))
        )

    def save(self, file: Path) -> None:
        """Write the mask, and let the device use it for its camera."""
        try:
            write_pixels(file, self.marked)
        except OSError as error:
            self._link.failed.emit(f"The mask is not saved: {error}")
            return
        chosen, path = self._link.chosen_camera, str(file.absolute())

        def load(proxy: Any) -> None:
            if not chosen:
                proxy.command_inout("LoadMask", path)
                return
            # The command is for the camera that the device shows; this window shows another one.
            masks = json.loads(proxy.read_attribute("Mask").value or "{}")
            proxy.write_attribute("Mask", json.dumps(masks | {chosen: {"file": path}}))

        def tell(_: object) -> None:
            self._link.told.emit(f"Saved {file}, the mask of {self._camera} from now on.")
            self.accept()

        self._link.call(load, rereads=("Mask",), done=tell)
