"""The rings of the q values on the image; the device computes them."""

import json

import numpy as np
import tango
from numpy.typing import NDArray
from taurus.external.qt import QtCore  # before silx, which takes the same Qt

from silx.gui.plot.items.shape import Shape  # isort: skip

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.tango_thread import error_text
from femtotango.gui.plots.colors import ring_color
from femtotango.gui.plots.image_plot import ImagePlot

Curves = list[NDArray[np.float64]]


def read_curves(proxy: tango.DeviceProxy, q_values: list[float], camera: str) -> tuple[Curves, str]:
    """Get the curves of q values on a camera's image from the device.

    Returns:
        ``(n, 2)`` arrays of ``(y, x)``, empty where there is none, and why one was refused.
    """
    curves: Curves = []
    reason = ""
    for q in q_values:
        try:
            flat = proxy.command_inout("CameraQCurve", json.dumps({"camera": camera, "q": q}))
        except (tango.CommunicationFailed, tango.ConnectionFailed):
            raise
        except tango.DevFailed as error:
            reason = error_text(error)
            flat = None
        curves.append(np.asarray([] if flat is None else flat, np.float64).reshape(-1, 2))
    return curves, reason


class RingsOverlay(QtCore.QObject):
    """Draw one curve for each of `QValues`; get them again when the geometry changes.

    Signals:
        explained: why there are no rings; empty when there are.
    """

    explained = QtCore.Signal(str)

    def __init__(self, plot: ImagePlot) -> None:
        super().__init__(plot)
        self._plot = plot
        self._link: DeviceLink | None = None
        self._pieces: list[Shape] = []
        self.curves: Curves = []

    def set_link(self, link: DeviceLink | None) -> None:
        """Follow another device."""
        self._link = link
        self.refresh()

    @property
    def pieces_drawn(self) -> int:
        """Number of lines on the plot; a ring that leaves the image has several."""
        return len(self._pieces)

    def refresh(self) -> None:
        """Get the curves of the q values from the device."""
        if self._link is None:
            return
        q_values = [float(q) for q in self._link.value("QValues", ())]
        camera = self._link.value("Detector", "")
        if not q_values:
            self._draw(([], ""))
            return
        self._link.call(
            lambda proxy: read_curves(proxy, q_values, camera),
            key="rings",
            done=self._draw,
            failed=lambda reason: self.explained.emit(reason),
        )

    def _draw(self, answer: tuple[Curves, str]) -> None:
        self.curves, reason = answer
        for piece in self._pieces:
            self._plot.removeItem(piece)
        self._pieces = []
        for index, curve in enumerate(self.curves):
            gaps = np.flatnonzero(np.isnan(curve[:, 0]))
            for part in np.split(curve, gaps):
                points = part[~np.isnan(part[:, 0])]
                if len(points) > 1:
                    self._pieces.append(self._piece(points, ring_color(index)))
        self.explained.emit(reason)

    def _piece(self, points: NDArray[np.float64], color: str) -> Shape:
        shape = Shape("polylines")
        shape.setPoints(points[:, ::-1])
        shape.setColor(color)
        shape.setLineWidth(1.0)
        shape.setOverlay(True)
        shape.setZValue(2)
        self._plot.addItem(shape)
        return shape
