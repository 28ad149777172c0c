"""The rings of the q values on the image; the device computes them."""

import json

import numpy as np
import tango
from numpy.typing import NDArray
from taurus.external.qt import QtCore  # before silx, which takes the same Qt

from silx.gui.plot.items.marker import Marker  # isort: skip
from silx.gui.plot.items.shape import Shape  # isort: skip

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.device_link.tango_thread import error_text
from femtotango.gui.plots.colors import ring_color
from femtotango.gui.plots.image_plot import ImagePlot
from femtotango.gui.plots.ring_style import RingStyle, outside_of_data, pieces

_THIN = 0.4
"""Width of a thin line [point]."""

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
        self._labels: list[Marker] = []
        self._style = RingStyle()
        self._visible = True
        self._camera = ""
        self.curves: Curves = []
        """Of the q values, on the image of one camera."""

    def set_link(self, link: DeviceLink | None) -> None:
        """Follow another device."""
        self._link = link
        self.refresh()

    @property
    def labels_drawn(self) -> list[str]:
        """The texts on the rings."""
        return [label.getText() for label in self._labels]

    @property
    def pieces_drawn(self) -> int:
        """Number of lines on the plot; a ring that leaves the image has several."""
        return len(self._pieces)

    def refresh(self) -> None:
        """Get the curves of the q values from the device."""
        if self._link is None:
            return
        q_values = [float(q) for q in self._link.value("QValues", ())]
        # Until the first image of a chosen camera has come there is no detector, and the device
        # would answer for the camera that it shows.
        camera = self._link.chosen_camera or self._link.value("Detector", "")
        if camera != self._camera:
            # Those of the camera before mean nothing here, however long the device needs.
            self._camera, self.curves = camera, []
            self._draw_curves()
        if not q_values:
            self._draw(([], ""))
            return
        self._link.call(
            lambda proxy: read_curves(proxy, q_values, camera),
            key="rings",
            done=self._draw,
            failed=lambda reason: self.explained.emit(reason),
        )

    def set_style(self, style: RingStyle) -> None:
        """Draw the rings in another way."""
        self._style = style
        self._draw_curves()

    def set_visible(self, visible: bool) -> None:
        """Show or hide the rings: without an image there are none."""
        if visible != self._visible:
            self._visible = visible
            self._draw_curves()

    def _draw(self, answer: tuple[Curves, str]) -> None:
        self.curves, reason = answer
        self._draw_curves()
        self.explained.emit(reason)

    def _draw_curves(self) -> None:
        for item in (*self._pieces, *self._labels):
            self._plot.removeItem(item)
        self._pieces, self._labels = [], []
        if not self._style.visible or not self._visible:
            return
        q_values = [] if self._link is None else self._link.value("QValues", ())
        for index, curve in enumerate(self.curves):
            lines = pieces(curve, self._drawn(curve))
            self._pieces += [self._piece(points, ring_color(index)) for points in lines]
            if lines and self._style.labels and index < len(q_values):
                longest = max(lines, key=len)
                self._label(longest[len(longest) // 2], float(q_values[index]), ring_color(index))

    def _drawn(self, curve: NDArray[np.float64]) -> NDArray[np.bool_]:
        blocks, shape = self._plot.preview, self._plot.image_shape
        if not self._style.outside or shape is None or not blocks.size:
            return np.ones(len(curve), bool)
        return outside_of_data(curve, blocks, self._plot.preview_binning, shape)

    def _piece(self, points: NDArray[np.float64], color: str) -> Shape:
        shape = Shape("polylines")
        shape.setPoints(points[:, ::-1])
        shape.setColor(color)
        shape.setLineWidth(_THIN if self._style.thin else 1.0)
        shape.setOverlay(True)
        shape.setZValue(2)
        self._plot.addItem(shape)
        return shape

    def _label(self, place: NDArray[np.float64], q: float, color: str) -> None:
        label = Marker()
        label.setText(f"{q:.4g}")
        label.setPosition(float(place[1]), float(place[0]))
        label.setColor(color)
        label.setSymbol("")
        label.setZValue(3)
        self._plot.addItem(label)
        self._labels.append(label)
