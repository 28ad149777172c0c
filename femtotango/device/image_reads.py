"""The images for the reads under way, fetched while Tango serves other clients."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tango
from tango import AttrQuality

from femtotango.component.image_reader import FullImage
from femtotango.component.image_results import ACCUMULATED_IMAGE
from femtotango.component.state import View
from femtotango.device.change_events import Reading
from femtotango.errors import PipelineError


class ImageReads:
    """Fetches what takes long before Tango reads any attribute.

    Only there: what was read before in the same call would be lost to other clients.

    Args:
        device: whose attributes they are.
        images: gives what fetches them.
        view: gives what clients can see.
    """

    def __init__(
        self, device: Any, images: Callable[[], FullImage], view: Callable[[], View]
    ) -> None:
        self._device = device
        self._images = images
        self._view = view
        self._fetched: dict[tuple[int, str], Reading] = {}
        """By thread and camera."""

    def fetch(self, indices: Sequence[int]) -> None:
        """Fetch the images among the attributes that are read now; call with the monitor.

        Args:
            indices: of the attributes in the device.
        """
        attributes = self._device.get_device_attr()
        names = (attributes.get_attr_by_ind(index).get_name() for index in indices)
        for name in names:
            if name.startswith(ACCUMULATED_IMAGE):
                camera = name.removeprefix(ACCUMULATED_IMAGE).removeprefix("_")
                self._fetched[threading.get_ident(), camera] = self._fetch_image(camera)

    def take(self, camera: str) -> Reading:
        """Return the image that this thread has fetched.

        Args:
            camera: whose image; empty: the one that is shown.
        """
        return self._fetched.pop((threading.get_ident(), camera))

    def _fetch_image(self, camera: str) -> Reading:
        view = self._view()
        if view.results.error is None:
            try:
                with tango.AutoTangoAllowThreads(self._device):
                    image = self._images().as_float32(view, camera)
                    return image, view.results.time, AttrQuality.ATTR_VALID
            except PipelineError as error:
                self._device.warn_stream(f"AccumulatedImage: {error}")
        return np.empty((0, 0), np.float32), time.time(), AttrQuality.ATTR_INVALID
