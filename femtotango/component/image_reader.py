"""The image in full, fetched when somebody wants it."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.component.image_region import as_npy, parse_region
from femtotango.component.state import View
from femtotango.dranspose_client.http import Reducer
from femtotango.dranspose_client.published import fetch_group
from femtotango.errors import NoImage, NotReady
from pipeline.frames.binning import bin_blocks
from pipeline.protocols.snapshot import (
    ACCUMULATED_NUMBER,
    IMAGE,
    SNAPSHOT,
    SUM_FRAMES,
    Published,
)

_TRIES = 10


@dataclass(frozen=True)
class ExactImage:
    """The image as it was summed."""

    image: NDArray[Any]
    """``(ny, nx)`` in the dtype of the sum; 0 where masked."""
    valid: NDArray[np.bool_] | None
    """False where masked; None: nothing is masked."""
    about: Published
    """What is published of this very image."""


def image_shape(view: View) -> tuple[int, int]:
    """Return ``(ny, nx)`` of the image.

    Raises:
        NoImage: there is none yet.
    """
    shape = view.snapshot.shown.image_shape
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
        if view.snapshot.shown.image_shape is None:
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
            NoImage: there is none any more.
            NotReady: it changes all the time.
            PipelineError: the reducer cannot be reached.
        """
        for _ in range(_TRIES):
            about = fetch_group(self._reducer, Published, SNAPSHOT)
            shown = about.shown
            if shown.sum_dtype is None:
                raise NoImage("There is no image any more: take a frame first.")
            image = self._reducer.array(IMAGE)
            # While these stay, the image stays.
            if (
                self._reducer.scalar(ACCUMULATED_NUMBER) == shown.accumulated_number
                and self._reducer.scalar(SUM_FRAMES) == shown.sum_frames
            ):
                break
        else:
            raise NotReady("The image changes while it is read: stop the frames, then save it.")
        dtype = np.dtype(shown.sum_dtype)
        masked = np.isnan(image)
        if not masked.any():
            return ExactImage(image.astype(dtype), None, about)
        return ExactImage(np.where(masked, 0, image).astype(dtype), ~masked, about)
