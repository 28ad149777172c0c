"""Pixels of the image from the device: as fine as the screen can show them, or all of them."""

import io
import json
from collections.abc import Callable

import numpy as np
import tango
from numpy.typing import NDArray
from taurus.external.qt import QtCore

from femtotango.gui.device_link.link import DeviceLink
from femtotango.gui.plots.zoom import Region, View, region_for

_SETTLE_MS = 80
"""The view must not change for this long before its pixels are fetched."""
_RETRY_MS = 2000
"""Pause before pixels are requested again that the device could not send."""

Answer = tuple[Region, NDArray[np.float32]]


def fetch_region(proxy: tango.DeviceProxy, region: Region, camera: str = "") -> Answer:
    """Fetch a region of the image, for a job.

    Args:
        proxy: of the device.
        region: which one.
        camera: whose image; empty: the one that the device shows.

    Returns:
        The region and its ``(ny, nx)`` blocks.

    Raises:
        ValueError: the answer is not a two-dimensional array.
    """
    if camera:
        keys = ("x", "y", "width", "height", "binning")
        request = dict(zip(keys, map(int, region.argument), strict=True))
        text = json.dumps({"camera": camera, **request})
        _, data = proxy.command_inout("GetCameraRegion", text)
    else:
        _, data = proxy.command_inout("GetRegion", region.argument)
    pixels = np.load(io.BytesIO(bytes(data)), allow_pickle=False)
    if pixels.ndim != 2:
        raise ValueError(f"GetRegion gave {pixels.ndim} dimensions")
    return region, np.asarray(pixels, np.float32)


def fetch_all(
    link: DeviceLink, key: str, shape: tuple[int, int], done: Callable[[Answer], None]
) -> None:
    """Fetch all pixels of the image that a window looks at.

    Args:
        link: to the device.
        key: of the call.
        shape: ``(ny, nx)`` of the image.
        done: called with the answer.
    """
    (ny, nx), camera = shape, link.chosen_camera
    link.call(
        lambda proxy: fetch_region(proxy, Region(0, 0, nx, ny, 1), camera), key=key, done=done
    )


class FinerPixels(QtCore.QObject):
    """Fetches what is seen of an image, when its preview is coarser than the screen.

    Signals:
        came: a region and its pixels.
        unneeded: the preview is fine enough, or there is nothing finer at the moment.
    """

    came = QtCore.Signal(object, object)
    unneeded = QtCore.Signal()

    def __init__(self, view: Callable[[], View], parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._link: DeviceLink | None = None
        self._image: tuple[str, tuple[int, int], int] | None = None
        """Camera, shape, and binning of the preview."""
        self._requested: Region | None = None
        self._fetching = False
        """One request is under way."""
        self._outdated = False
        """View or image changed during the request."""
        self._settle = self._timer(_SETTLE_MS)
        self._retry = self._timer(_RETRY_MS)

    def _timer(self, interval: int) -> QtCore.QTimer:
        timer = QtCore.QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(self._fetch)
        return timer

    def set_link(self, link: DeviceLink | None) -> None:
        """Follow another device."""
        self._link, self._fetching = link, False
        self.clear()

    def view_changed(self) -> None:
        """Fetch what is seen, once the view rests."""
        self._settle.start()

    def image_changed(self, detector: str, shape: tuple[int, int], binning: int) -> None:
        """Fetch what is seen of a new image.

        Args:
            detector: whose image it is.
            shape: ``(ny, nx)`` of the image.
            binning: of its preview.
        """
        self._image = detector, shape, binning
        self._fetch()

    def clear(self) -> None:
        """There is no image."""
        self._image, self._requested = None, None

    def _fetch(self) -> None:
        """Request the pixels of the view, unless the preview is as fine."""
        if self._image is None or self._link is None:
            return
        detector, shape, binning = self._image
        self._requested = region = region_for(self._view(), shape, binning)
        if region is None:
            self.unneeded.emit()
        elif self._fetching:
            self._outdated = True
        elif self._link.connected:
            self._fetching, self._outdated = True, False
            camera = self._link.chosen_camera
            self._link.call(
                lambda proxy: fetch_region(proxy, region, camera),
                key="region",
                done=lambda answer: self._take(answer, detector),
                failed=lambda reason: self._failed(reason, region),
            )

    def _take(self, answer: Answer, detector: str) -> None:
        self._fetching = False
        region, pixels = answer
        if self._requested is None or self._image is None:
            return
        if detector != self._image[0]:
            self._outdated = True
        elif pixels.size:
            self.came.emit(region, pixels)
        if self._outdated:
            self._fetch()

    def _failed(self, reason: str, region: Region) -> None:
        """Show the preview, and request again later: a busy pipeline may have been too slow."""
        self._fetching = False
        self.unneeded.emit()
        self._retry.start()
        whole = self._image is not None and self._image[1] == (region.height, region.width)
        # The user asked for a part of the image, and sees the whole of it all the same.
        if self._link is not None and self._link.connected and not whole:
            self._link.failed.emit(reason)
