"""The image in full, fetched when somebody wants it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.component.image_region import as_npy, parse_region
from femtotango.component.state import View
from femtotango.dranspose_client.http import Reducer
from femtotango.errors import NoImage, NotReady
from pipeline.frames.binning import bin_blocks
from pipeline.protocols.snapshot import IMAGE, SNAPSHOT, unpack

_TRIES = 10
_TELLING = ("accumulated_number", "sum_frames")
"""While these stay, the image stays."""


@dataclass(frozen=True)
class ExactImage:
    """The image as it was summed."""

    image: NDArray[Any]
    """``(ny, nx)`` in the dtype of the sum; 0 where masked."""
    good: NDArray[np.bool_] | None
    """False where masked; None: nothing is masked."""
    about: Mapping[str, Any]
    """What is published of this very image, by path."""


def image_shape(view: View) -> tuple[int, int]:
    """Return ``(ny, nx)`` of the image.

    Raises:
        NoImage: there is none yet.
    """
    shape = view.snapshot.get("image_shape")
    if shape is None:
        raise NoImage("There is no image yet: take a frame first.")
    return int(shape[0]), int(shape[1])


class FullImage:
    """Fetches the image from the reducer; may take half a second, so never hold a monitor."""

    def __init__(self, reducer: Reducer) -> None:
        self._reducer = reducer
        self._lock = threading.Lock()
        self._cached: tuple[int, NDArray[np.float32]] | None = None

    def as_float32(self, view: View) -> NDArray[np.float32]:
        """Return the image for viewing, ``(ny, nx)``; NaN where masked; ``(0, 0)`` without one.

        Raises:
            PipelineError: the reducer cannot be reached.
        """
        if "image_shape" not in view.snapshot:
            return np.empty((0, 0), np.float32)
        with self._lock:
            if self._cached is None or self._cached[0] != view.results.revision:
                image = self._reducer.array(IMAGE).astype(np.float32, copy=False)
                self._cached = view.results.revision, image
            return self._cached[1]

    def region(self, view: View, numbers: list[int]) -> bytes:
        """Return a binned rectangle as the bytes of a ``.npy`` file, float32.

        Args:
            view: tells shape and MaxFilter.
            numbers: x, y, width, height, binning [pixel].

        Raises:
            NoImage, BadRequest: there is nothing to cut, or nothing to cut it from.
            PipelineError: the reducer cannot be reached.
        """
        wanted = parse_region(numbers, image_shape(view))
        cut = self._reducer.array(IMAGE, (wanted.y, wanted.x))
        blocks = bin_blocks(cut, wanted.binning, ~np.isnan(cut))
        return as_npy(blocks.max if view.max_filter else blocks.mean)

    def exact(self) -> ExactImage:
        """Return the image as it was summed, and what is published of it.

        Raises:
            NotReady: it changes all the time.
            PipelineError: the reducer cannot be reached.
        """
        for _ in range(_TRIES):
            about = unpack(self._reducer.data(SNAPSHOT))
            image = self._reducer.array(IMAGE)
            if all(self._reducer.scalar(name) == about.get(name) for name in _TELLING):
                break
        else:
            raise NotReady("The image changes while it is read: stop the frames, then save it.")
        dtype = np.dtype(str(about["sum_dtype"]))
        masked = np.isnan(image)
        if not masked.any():
            return ExactImage(image.astype(dtype), None, about)
        return ExactImage(np.where(masked, 0, image).astype(dtype), ~masked, about)
