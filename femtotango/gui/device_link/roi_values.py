"""What is measured in the ROIs: in the newest frame, or in the image that is shown."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tango
from taurus.external.qt import QtCore

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.shown import shown_image
from femtotango.gui.device_link.tango_thread import read_together
from pipeline.model.roi_statistics import STATISTICS

_PAUSE_MS = 300
_PAUSE_OF_IMAGE_MS = 1000
"""Shortest pauses between two requests; an image may be large, and grows slowly."""
_NAMES, _NEWEST = "RoiNames", "RoiStatistics"

Values = Mapping[str, Mapping[str, float]]
"""By ROI and statistic."""


class RoiValues(QtCore.QObject):
    """Asks the device for them, not more often than it is good for.

    Signals:
        changed: there are new values.
    """

    changed = QtCore.Signal()

    def __init__(self, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self.values: Values = {}
        self.of_image = False
        """Of the shown image, those of ROIs that were drawn after its frames too."""
        self._link: DeviceLink | None = None
        self._asked = self._again = False
        self._pause = QtCore.QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._ask_again)

    def choose(self, link: DeviceLink, of_image: bool) -> None:
        """Show those of the image, or of the newest frame."""
        if of_image != self.of_image:
            self.of_image = of_image
            self._show({})
            self._pause.stop()
            self.ask(link)

    def ask(self, link: DeviceLink) -> None:
        """Ask for what is there now, as soon as it may be asked."""
        self._link = link
        if shown_image(link) is None:
            self._show({})
        elif self._asked or self._pause.isActive():
            self._again = True
        else:
            self._asked, self._again = True, False
            of_image, camera = self.of_image, link.chosen_camera

            def fetch(proxy: tango.DeviceProxy) -> Values:
                if of_image:
                    return values_of_image(proxy.command_inout("GetRoiStatistics", camera))
                return values_of_frame(read_together(proxy, _NAMES, _NEWEST))

            link.call(
                fetch,
                key="roi values",
                done=lambda values: self._take(values, of_image),
                failed=lambda _: self._take({}, of_image),
            )

    def _take(self, values: Values, of_image: bool) -> None:
        self._asked = False
        if of_image == self.of_image:
            self._show(values)
        else:
            self._again = True
        self._pause.start(_PAUSE_OF_IMAGE_MS if self.of_image else _PAUSE_MS)

    def _ask_again(self) -> None:
        if self._again and self._link is not None and self._link.connected:
            self.ask(self._link)

    def _show(self, values: Values) -> None:
        self.values = values
        self.changed.emit()


def values_of_frame(answer: Mapping[str, Any]) -> Values:
    """Return what RoiStatistics says of each ROI."""
    names, table = answer[_NAMES], answer[_NEWEST]
    if names is None or table is None or np.ndim(table) != 2:
        return {}
    rows = np.asarray(table, np.float64).tolist()
    return {
        str(name): dict(zip(STATISTICS, row, strict=False))
        for name, row in zip(names, rows, strict=False)
    }


def values_of_image(text: str) -> Values:
    """Return what GetRoiStatistics says of each ROI."""
    rois: dict[str, dict[str, float | None]] = json.loads(text)["rois"]
    return {
        name: {key: math.nan if value is None else value for key, value in row.items()}
        for name, row in rois.items()
    }
