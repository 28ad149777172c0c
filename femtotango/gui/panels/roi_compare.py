"""The dialog of one ROI: with what it is compared."""

from dataclasses import replace

from taurus.external.qt import QtWidgets

from femtotango.gui.device_link import roi_edit
from femtotango.gui.device_link.link import DeviceLink
from pipeline.model.roi import COLUMN, Roi

_NOTHING = "nothing"
_COLUMNS = "ColumnNames"


class RoiCompare(QtWidgets.QDialog):
    """Chooses what is subtracted from a ROI, and by what it is divided."""

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self._link: DeviceLink | None = None
        self._name = ""
        self.minus = QtWidgets.QComboBox()
        self.minus.setToolTip(
            "The mean of this ROI is subtracted from each pixel, in each frame: a background."
        )
        self.over = QtWidgets.QComboBox()
        self.over.setEditable(True)
        self.over.setToolTip(
            "Divide by this ROI's sum of the same shot, of any camera, or by a number of the "
            "records: column:NAME."
        )
        explanation = QtWidgets.QLabel(
            "Mean, sum and maximum are compared shot by shot; place and width stay as they are. A "
            "step's ratio is the ratio of the sums over its shots."
        )
        explanation.setWordWrap(True)
        self.buttons = QtWidgets.QDialogButtonBox()
        self.ok = self.buttons.addButton(QtWidgets.QDialogButtonBox.StandardButton.Ok)
        self.buttons.addButton(QtWidgets.QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QtWidgets.QFormLayout(self)
        layout.addRow("Minus", self.minus)
        layout.addRow("Over", self.over)
        layout.addRow(explanation)
        layout.addRow(self.buttons)

    def ask(self, link: DeviceLink, name: str) -> None:
        """Open it for a ROI."""
        rois = roi_edit.shown_rois(link)
        roi = rois.get(name)
        if roi is None:
            return
        self._link, self._name = link, name
        self.setWindowTitle(f"Compare {name}")
        plain = [n for n, other in rois.items() if n != name and not (other.minus or other.over)]
        columns = [f"{COLUMN}{column}" for column in link.value(_COLUMNS, ()) or ()]
        _offer(self.minus, plain, roi.minus)
        _offer(self.over, [*plain, *columns], roi.over)
        self.open()

    def accept(self) -> None:
        """Send what was chosen; the device says why when it cannot be."""
        super().accept()
        link = self._link
        roi = None if link is None else roi_edit.shown_rois(link).get(self._name)
        if link is None or roi is None:
            return
        compared = replace(roi, minus=_chosen(self.minus), over=_chosen(self.over))
        if compared != roi:
            roi_edit.set_roi(link, self._name, compared)


def _offer(box: QtWidgets.QComboBox, names: list[str], now: str) -> None:
    box.clear()
    box.addItems(list(dict.fromkeys([_NOTHING, *names, *([now] if now else [])])))
    box.setCurrentIndex(box.findText(now or _NOTHING))


def _chosen(box: QtWidgets.QComboBox) -> str:
    text = box.currentText().strip()
    return "" if text == _NOTHING else text


def comparison(roi: Roi) -> str:
    """Return in short with what a ROI is compared; empty: with nothing."""
    minus = f" − {roi.minus}" if roi.minus else ""
    return minus + (f" / {roi.over.removeprefix(COLUMN)}" if roi.over else "")
