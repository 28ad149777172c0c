"""The image in full, fetched when somebody wants it."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.client import Reducer
from femtotango.errors import NoImage, NotReady
from femtotango.regions import as_npy, bin_blocks, parse_region
from femtotango.view import View
from pipeline.results import IMAGE

_TRIES = 10


@dataclass(frozen=True)
class ExactImage:
    """The image as it was summed."""

    image: NDArray[Any]
    """``(ny, nx)`` in the dtype of the sum; 0 where masked."""
    good: NDArray[np.bool_] | None
    """False where masked; None: nothing is masked."""
    count: int
    """Frames in it."""


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
        return as_npy(bin_blocks(cut, wanted.binning, view.max_filter))

    def exact(self) -> ExactImage:
        """Return the image as it was summed, with the number of frames that are in it.

        Raises:
            NotReady: it changes all the time.
            PipelineError: the reducer cannot be reached.
        """
        for _ in range(_TRIES):
            before = self._reducer.scalar("accumulated_number")
            image = self._reducer.array(IMAGE)
            dtype = np.dtype(str(self._reducer.scalar("sum_dtype")))
            if self._reducer.scalar("accumulated_number") == before:
                break
        else:
            raise NotReady("The image changes while it is read: stop the frames, then save it.")
        masked = np.isnan(image)
        if not masked.any():
            return ExactImage(image.astype(dtype), None, int(before))
        return ExactImage(np.where(masked, 0, image).astype(dtype), ~masked, int(before))
