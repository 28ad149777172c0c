"""Which part of the image to fetch for a view, and how coarse."""

import math
from dataclasses import dataclass

_CLEARLY_FINER = 1.5
"""The whole image is fetched besides its preview when it shows this many times as much."""


@dataclass(frozen=True)
class View:
    """What the plot shows: limits [image pixel], pixel centres at integers, and its size."""

    x_min: float
    x_max: float
    y_min: float
    y_max: float
    width: int
    """Of the plot on the screen, in the screen's own pixels."""
    height: int


@dataclass(frozen=True)
class Region:
    """A rectangle of the image, the argument of GetRegion."""

    x: int
    y: int
    width: int
    height: int
    binning: int

    @property
    def argument(self) -> list[int]:
        """The argument of GetRegion."""
        return [self.x, self.y, self.width, self.height, self.binning]


def block_size(image: tuple[int, int], preview: tuple[int, ...]) -> int:
    """Return how many image pixels one preview pixel spans along each axis.

    Args:
        image: ``(ny, nx)`` of the full image.
        preview: ``(ny, nx)`` of the preview, incomplete last blocks included.

    Returns:
        0 when the preview is of another image.
    """
    if len(preview) != 2 or min(preview) < 1:
        return 0
    size = max(-(-full // small) for full, small in zip(image, preview, strict=True))
    blocks = tuple(-(-full // size) for full in image)
    return size if blocks == tuple(preview) else 0


def region_for(view: View, image: tuple[int, int], preview: int) -> Region | None:
    """Return the region to fetch for a view, at the resolution of the screen.

    Args:
        view: what the plot shows.
        image: ``(ny, nx)`` of the full image.
        preview: binning of the preview.

    Returns:
        None when the preview is as fine, and for the whole image, which comes with every preview,
        already when it is nearly as fine.
    """
    x0, x1 = _pixels(view.x_min, view.x_max, image[1])
    y0, y1 = _pixels(view.y_min, view.y_max, image[0])
    if x0 >= x1 or y0 >= y1:
        return None
    per_screen_pixel = min(
        (view.x_max - view.x_min) / max(view.width, 1),
        (view.y_max - view.y_min) / max(view.height, 1),
    )
    binning = max(1, math.floor(per_screen_pixel))
    whole = x1 - x0 == image[1] and y1 - y0 == image[0]
    if binning >= preview or (whole and binning * _CLEARLY_FINER >= preview):
        return None
    # Whole blocks, counted from the image's corner: panning must not shift the blocks.
    x0, y0 = x0 - x0 % binning, y0 - y0 % binning
    return Region(x0, y0, x1 - x0, y1 - y0, binning)


def _pixels(low: float, high: float, size: int) -> tuple[int, int]:
    """Return the visible pixels, ``[first, last + 1)``, cut to the image."""
    return max(0, math.floor(low + 0.5)), min(size, math.ceil(high + 0.5))
