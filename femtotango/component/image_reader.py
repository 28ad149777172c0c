"""The image in full, fetched when somebody wants it."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.component.image_region import as_npy, parse_region
from femtotango.component.state import View, image_in
from femtotango.dranspose_client.published import fetch_group
from femtotango.dranspose_client.reducer import Reducer
from femtotango.errors import NoImage, NotReady
from pipeline.model.roi import Roi, parse_rois
from pipeline.model.roi_statistics import COLUMNS
from pipeline.protocols.packed_datasets import ImageRois
from pipeline.protocols.published_paths import (
    ACCUMULATED_NUMBER,
    FRAMES_SEEN,
    IMAGE,
    IMAGE_ROIS,
    SNAPSHOT,
    SUM_FRAMES,
    camera_path,
)
from pipeline.protocols.snapshot import CameraImage, Published, ScanCamera

_TRIES = 10
_ROIS_LIMIT, _ROIS_POLL = 2.0, 0.02
"""The longest that a new ROI may take to the reducer, and how often it is looked [s]."""


@dataclass(frozen=True)
class ExactImage:
    """The image as it was summed."""

    image: NDArray[Any]
    """``(ny, nx)`` in the dtype of the sum; 0 where masked."""
    valid: NDArray[np.bool_] | None
    """False where masked; None: nothing is masked."""
    snapshot: Published
    """What was published at that moment."""
    about: CameraImage
    """Of it, what is told of this very image."""
    frames_seen: NDArray[np.uint32] | None = None
    """``(ny, nx)`` how many frames saw each pixel; None: all saw every valid one."""


def image_shape(view: View, camera: str = "") -> tuple[int, int]:
    """Return ``(ny, nx)`` of the image.

    Args:
        view: as clients see it.
        camera: whose image; empty: the one that is shown.

    Raises:
        NoImage: there is none yet.
    """
    shape = view.image(camera).image_shape
    if shape is None:
        of_camera = f" of {camera}" if camera else ""
        raise NoImage(f"There is no image{of_camera} yet: take a frame first.")
    return int(shape[0]), int(shape[1])


class FullImage:
    """Fetches images from the reducer; may take half a second, so never hold a monitor."""

    def __init__(self, reducer: Reducer) -> None:
        self._reducer = reducer
        self._lock = threading.Lock()
        self._cached: dict[str, tuple[int, NDArray[np.float32]]] = {}

    def as_float32(self, view: View, camera: str = "") -> NDArray[np.float32]:
        """Return the image for viewing, ``(ny, nx)``; NaN where masked; ``(0, 0)`` without one.

        Args:
            view: as clients see it.
            camera: whose image; empty: the one that is shown.

        Raises:
            PipelineError: the reducer cannot be reached.
        """
        image = view.image(camera)
        if image.image_shape is None:
            return np.empty((0, 0), np.float32)
        path = _path(image, IMAGE)
        with self._lock:
            cached = self._cached.get(path)
            if cached is None or cached[0] != view.results.revision:
                pixels = self._reducer.array(path).astype(np.float32, copy=False)
                self._cached[path] = cached = view.results.revision, pixels
            return cached[1]

    def region(self, view: View, numbers: list[int], camera: str = "") -> bytes:
        """Return a binned rectangle as the bytes of a ``.npy`` file, float32.

        Args:
            view: tells shape and MaxFilter.
            numbers: x, y, width, height, binning [pixel].
            camera: whose image; empty: the one that is shown.

        Raises:
            NoImage, BadRequest: there is nothing to cut, or nothing to cut it from.
            PipelineError: the reducer cannot be reached.
        """
        wanted = parse_region(numbers, image_shape(view, camera))
        path, part = _path(view.image(camera), IMAGE), (wanted.y, wanted.x)
        cached = self._cached.get(path)
        if cached is not None and cached[0] == view.results.revision:
            cut = cached[1][part]
        else:
            cut = self._reducer.array(path, part)
        # Its compiler would be a sixth of the start of the device.
        from pipeline.frames.binning import bin_blocks

        blocks = bin_blocks(cut, wanted.binning, ~np.isnan(cut))
        return as_npy(blocks.max if view.max_filter else blocks.mean)

    def rois(self, view: View, camera: str = "") -> str:
        """Return the statistics of the camera's ROIs in its image as JSON.

        The reducer measures them, where the exact image is: no pixels travel, and a ROI that was
        drawn after the frames has values too.

        Args:
            view: as clients see it.
            camera: whose image; empty: the one that is shown.

        Raises:
            NoImage: there is none yet.
            PipelineError: the reducer cannot be reached.
        """
        image_shape(view, camera)
        image = view.image(camera)
        deadline = time.monotonic() + _ROIS_LIMIT
        while True:
            found = fetch_group(self._reducer, ImageRois, _path(image, IMAGE_ROIS))
            measured = parse_rois(found.rois)
            if _up_to_date(measured, view, image.detector) or time.monotonic() > deadline:
                break
            time.sleep(_ROIS_POLL)
        rows = ([None if isnan(x) else x for x in row] for row in found.statistics.tolist())
        rois = {
            name: dict(zip(COLUMNS, row, strict=True))
            for name, row in zip(measured, rows, strict=True)
        }
        about = {"camera": image.detector, "unit": found.unit, "frames": found.frames}
        return json.dumps({**about, "rois": rois})

    def exact(self, camera: str = "") -> ExactImage:
        """Return the image as it was summed, and what is published of it.

        Args:
            camera: whose image; empty: the one that is shown.

        Raises:
            NoImage: there is none any more.
            NotReady: it changes all the time.
            PipelineError: the reducer cannot be reached.
        """
        for _ in range(_TRIES):
            snapshot = fetch_group(self._reducer, Published, SNAPSHOT)
            about = image_in(snapshot, camera)
            if about.sum_dtype is None:
                raise NoImage("There is no image any more: take a frame first.")
            image = self._reducer.array(_path(about, IMAGE))
            seen = self._reducer.array(_path(about, FRAMES_SEEN)) if about.partly_masked else None
            # While these stay, the image stays.
            if (
                self._reducer.scalar(_path(about, ACCUMULATED_NUMBER)) == about.accumulated_number
                and self._reducer.scalar(_path(about, SUM_FRAMES)) == about.sum_frames
            ):
                break
        else:
            raise NotReady("The image changes while it is read: stop the frames, then save it.")
        dtype = np.dtype(about.sum_dtype)
        masked = np.isnan(image)
        if not masked.any():
            return ExactImage(image.astype(dtype), None, snapshot, about, seen)
        image = np.where(masked, 0, image).astype(dtype)
        return ExactImage(image, ~masked, snapshot, about, seen)


def _up_to_date(measured: Mapping[str, Roi], view: View, camera: str | None) -> bool:
    """Say whether the reducer has heard of all changes of a camera's ROIs."""
    places = {name: roi.place for name, roi in view.settings.roi_map.items()}
    known = all(measured.get(n) == roi for n, roi in places.items() if roi.camera == camera)
    return known and all(places.get(name) == roi for name, roi in measured.items())


def _path(image: CameraImage, name: str) -> str:
    """Return where a dataset of an image is; a camera's own place stays when another is shown."""
    if isinstance(image, ScanCamera) and image.detector:
        return camera_path(image.detector, name)
    return name
