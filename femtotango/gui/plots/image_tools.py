"""The line of tools above a live image: zoom, colours, copy, save, camera, and the title."""

from collections.abc import Mapping

from taurus.external.qt import QtCore, QtWidgets  # before silx, which takes the same Qt

from silx.gui.plot import PlotWindow  # isort: skip

from femtotango.gui.plots.fitted_label import FittedLabel

_ICON = 20


class ImageTools(QtWidgets.QToolBar):
    """One line in the place of silx's three toolbars.

    Signals:
        camera_chosen: the user wants to see this camera; empty: the one that the device shows.
    """

    camera_chosen = QtCore.Signal(str)

    def __init__(self, plot: PlotWindow) -> None:
        super().__init__("Image", plot)
        modes, output = plot.getInteractiveModeToolBar(), plot.getOutputToolBar()
        for bar in (modes, plot.toolBar(), output):
            plot.removeToolBar(bar)
        self.setMovable(False)
        self.setIconSize(QtCore.QSize(_ICON, _ICON))
        self.addAction(modes.getZoomModeAction())
        self.addAction(modes.getPanModeAction())
        self.addAction(plot.getResetZoomAction())
        self.addAction(plot.getColormapAction())
        # silx's own actions copy and save the preview as if it were the image.
        self.copy_action = QtWidgets.QAction(output.getCopyAction().icon(), "Copy", plot)
        self.copy_action.setToolTip("Copy a picture of what is seen.")
        self.save_action = QtWidgets.QAction(output.getSaveAction().icon(), "Save …", plot)
        self.save_action.setToolTip("Save all pixels of the image, or a picture of what is seen.")
        self.addAction(self.copy_action)
        self.addAction(self.save_action)
        self.camera_box = QtWidgets.QComboBox()
        self.camera_box.setToolTip("The camera that this window shows; others see what they chose.")
        self.camera_box.activated.connect(
            lambda index: self.camera_chosen.emit(self.camera_box.itemData(index))
        )
        self._camera_action = self.addWidget(self.camera_box)
        self.show_cameras({}, "")
        self.title = FittedLabel()
        self.addWidget(self.title)
        plot.addToolBar(self)

    def show_cameras(self, cameras: Mapping[str, str], chosen: str) -> None:
        """Offer cameras to choose from, when there are any.

        Args:
            cameras: what is shown for each stream.
            chosen: stream of the one that is seen.
        """
        box = self.camera_box
        texts = {box.itemData(i): box.itemText(i) for i in range(box.count())}
        if texts != dict(cameras):
            box.clear()
            for stream, text in cameras.items():
                box.addItem(text, stream)
        box.setCurrentIndex(max(0, box.findData(chosen)))
        if self._camera_action is not None:
            self._camera_action.setVisible(bool(cameras))

    def add_before_cameras(self, tool: QtWidgets.QWidget) -> None:
        """Put another tool before the choice of the camera."""
        self.insertWidget(self._camera_action, tool)
