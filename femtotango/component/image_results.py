"""The attributes of an image: of the one that is shown, and of each camera's."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femtotango.component.result_row import Read, Result
from femtotango.component.state import View
from femtotango.text_encoding import latin
from pipeline.protocols.snapshot import PREVIEW_SIZE, CameraImage

MAX_IMAGE = 8192
"""Pixels a side."""
ACCUMULATED_IMAGE = "AccumulatedImage"
"""It is fetched on demand."""
_OF_THE_SHOWN = frozenset({"Detector", "PixelSize"})
"""Of a camera by name they are known."""


def camera_attribute(name: str, stream: str) -> str:
    """Return the name of an image's attribute for one camera."""
    return f"{name}_{stream}"


def image_results(stream: str = "") -> tuple[Result, ...]:
    """Return the rows of one image.

    Args:
        stream: of the camera; empty: whichever is shown.
    """

    def of_image(pick: Callable[[CameraImage], Any]) -> Read:
        return lambda view: pick(view.image(stream))

    def preview(view: View) -> NDArray[np.float32]:
        images = view.image(stream).preview
        return images.max if view.max_filter else images.mean

    rows = (
        Result(
            "PreviewImage",
            np.float32,
            f"The image in at most {PREVIEW_SIZE}x{PREVIEW_SIZE} blocks: "
            "their means, or with MaxFilter their maxima.",
            preview,
            dims=(PREVIEW_SIZE, PREVIEW_SIZE),
        ),
        Result("FrameCount", int, "Frames in the image.", of_image(lambda i: i.accumulated_number)),
        Result("ImageSum", float, "Sum over all valid pixels.", of_image(lambda i: i.image_sum)),
        Result("ImageMax", float, "Largest valid pixel.", of_image(lambda i: i.image_max)),
        Result(
            "PixelSize",
            float,
            "Side of a pixel.",
            of_image(lambda i: math.nan if i.pixel_size is None else float(i.pixel_size[0])),
            unit="m",
        ),
        Result(
            "Detector",
            str,
            "Stream that the image came from.",
            of_image(lambda i: latin(i.detector or "")),
        ),
        Result(
            "ImageUnit",
            str,
            "counts (photons), ADU above background, or TOT (time over threshold).",
            of_image(lambda i: latin(i.image_unit or "")),
        ),
        Result("ImageWidth", int, "Columns.", of_image(lambda i: _side(i, 1)), unit="pixel"),
        Result("ImageHeight", int, "Rows.", of_image(lambda i: _side(i, 0)), unit="pixel"),
    )
    if not stream:
        return rows
    return tuple(
        replace(row, name=camera_attribute(row.name, stream), doc=f"{stream}: {row.doc}")
        for row in rows
        if row.name not in _OF_THE_SHOWN
    )


def _side(image: CameraImage, axis: int) -> int:
    return 0 if image.image_shape is None else int(image.image_shape[axis])
