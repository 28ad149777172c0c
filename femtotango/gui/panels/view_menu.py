"""The menu *View* of the image: profiles, values per frame, and the difference to a kept image."""

from dataclasses import replace

from taurus.external.qt import QtCore, QtWidgets  # before silx, which takes the same Qt

from silx.gui.plot.tools.profile import rois  # isort: skip
from silx.gui.plot.tools.profile.manager import ProfileManager  # isort: skip

from femtotango.gui.plots.image_plot import ImagePlot
from femtotango.gui.plots.shown_as import KeptImage, ShownAs

_PROFILES = (
    ("Profile along a line", rois.ProfileImageLineROI),
    ("Profile along a row", rois.ProfileImageHorizontalLineROI),
    ("Profile along a column", rois.ProfileImageVerticalLineROI),
)


class ViewMenu(QtWidgets.QToolButton):
    """The menu and what was chosen in it.

    Signals:
        changed: values are shown in another way, see `shown_as`.
        keep: the user wants the shown image to be kept.
    """

    changed = QtCore.Signal()
    keep = QtCore.Signal()

    def __init__(self, plot: ImagePlot) -> None:
        super().__init__(plot)
        self.setText("View")
        self.setToolTip("Profiles, values per frame, difference to a kept image.")
        self.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(QtCore.Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.shown_as = ShownAs()
        menu = QtWidgets.QMenu(self)
        self._manager = ProfileManager(menu, plot)
        self._manager.setItemType(image=True)
        self._manager.setActiveItemTracking(True)
        self.profiles = []
        for text, kind in _PROFILES:
            action = self._manager.createProfileAction(kind, menu)
            action.setText(text)
            menu.addAction(action)
            self.profiles.append(action)
        self.no_profile = self._manager.createClearAction(menu)
        self.no_profile.setText("Remove profiles")
        menu.addAction(self.no_profile)
        menu.addSeparator()
        self.per_frame = QtWidgets.QAction("Values per frame", menu)
        self.keep_action = QtWidgets.QAction("Keep this image", menu)
        self.difference = QtWidgets.QAction("Difference to the kept image", menu)
        for action in (self.per_frame, self.keep_action, self.difference):
            menu.addAction(action)
        for action in (self.per_frame, self.difference):
            action.setCheckable(True)
            action.toggled.connect(lambda _: self._choose())
        self.difference.setEnabled(False)
        self.keep_action.triggered.connect(lambda _: self.keep.emit())
        self.setMenu(menu)

    def take_kept(self, kept: KeptImage) -> None:
        """Keep an image in the place of an earlier one."""
        self.shown_as = replace(self.shown_as, kept=kept)
        self.difference.setText(f"Difference to the kept {kept.detector}, {kept.frames} frames")
        self.difference.setEnabled(True)
        self.changed.emit()

    def _choose(self) -> None:
        self.shown_as = replace(
            self.shown_as,
            per_frame=self.per_frame.isChecked(),
            difference=self.difference.isChecked(),
        )
        self.changed.emit()
