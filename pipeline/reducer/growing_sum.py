"""A growing sum of frames: its exact pixels, and what is in it."""

from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pipeline.frames.binning import Blocks
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings
from pipeline.protocols.batch import PartialSum, SparseImage
from pipeline.reducer.masks import Masks, SeenPixels

Order = tuple[int, int]
"""``(scan, event)``: when a frame was taken, comparable over scans."""
NEVER: Order = (-1, -1)
"""Before every frame."""


@dataclass(eq=False)
class Sum:
    """A growing sum of frames of one kind."""

    stream: str
    unit: str
    shape: tuple[int, int]
    accumulation_id: int
    image: NDArray[Any]
    """``(ny, nx)`` int64 or float64; exact."""
    blocks: Blocks
    """Of the preview; grows with the pixels, or knows which have changed since it was made."""
    seen: SeenPixels | None = None
    """In how many frames the camera did not mask a pixel itself; None: it masks none."""
    masks: Masks = field(default_factory=Masks)
    """What our own corrections left out."""
    photon_region: tuple[int, int, int, int] | None = None
    count: int = 0
    newest: Order = NEVER
    frames: dict[str, FrameRanges] = field(default_factory=dict)
    """Frame numbers by scan label."""
    settings: Settings = field(default_factory=Settings)
    """Those in force when the newest frame was added."""
    saved_count: int = 0
    """How many of the frames are in a file."""
    ended_at: float = 0.0
    """Monotonic time at which another sum followed [s]; 0: it still grows."""
    first: bool = True
    """Its camera stood for the scan when the newest frame was added."""
    number: int = 0
    """Counts the sums of all cameras."""

    @property
    def valid(self) -> NDArray[np.bool_] | None:
        """Pixels that were not masked in at least one frame; None: all."""
        return self.masks.valid if self.seen is None else self.seen.valid

    @property
    def frames_seen(self) -> NDArray[np.uint32] | None:
        """How many frames saw each pixel, where these differ; None: all saw every valid one."""
        if self.seen is not None and self.seen.are_equal:
            return None
        seen = self.masks.seen() if self.seen is None else self.seen.counts
        if seen is None or not np.any((seen > 0) & (seen < self.count)):
            return None
        return seen

    def add_seen(self, seen: NDArray[np.uint32]) -> None:
        """Note how many frames saw each pixel."""
        if self.seen is not None:
            self.seen.add_counts(seen)

    def add_pixels(self, image: NDArray[Any] | SparseImage) -> None:
        """Add the pixels of frames of the same kind."""
        if self.image.dtype.kind == "i" and _dtype(image).kind == "f":
            self.image = self.image.astype(np.float64)
        if isinstance(image, SparseImage):
            index = image.index.astype(np.int64, copy=False)
            value = image.value.astype(self.image.dtype, copy=False)
            _add_at(self.image.reshape(-1), index, value)
            self.blocks.note_added(self.image, index, value)
        else:
            # uint64 pixels go into int64 sums: workers refuse those that would not fit.
            np.add(self.image, image, out=self.image, casting="unsafe")
            self.blocks.note_all()

    def add_partial(
        self,
        partial: PartialSum,
        newest: Order,
        scan: str,
        unmasked: NDArray[np.bool_] | None = None,
    ) -> None:
        """Add a partial sum of the same kind; see `Accumulation.add_partial`."""
        self.add_pixels(partial.image)
        if partial.valid is not None and self.seen is not None:
            self.seen.add(partial.valid, partial.missed, len(partial.events))
        self.masks.add(partial.corrections, unmasked, len(partial.events))
        self.count += len(partial.events)
        self.newest = max(self.newest, newest)
        self.photon_region = _common(self.photon_region, partial.photon_region)
        ranges = self.frames.setdefault(scan, FrameRanges())
        for frame in partial.frames:
            ranges.add(frame)


@numba.njit(nogil=True, cache=True)
def _add_at(total, index, value):  # type: ignore[no-untyped-def]
    # An index may come twice: two photons in one pixel.
    for i in range(index.size):
        total[index[i]] += value[i]


def warm_up() -> None:
    """Compile the kernel, so that the first partial sum need not wait."""
    for dtype in (np.int64, np.float64):
        _add_at(np.zeros(1, dtype), np.zeros(1, np.int64), np.zeros(1, dtype))


def _common(
    a: tuple[int, int, int, int] | None, b: tuple[int, int, int, int] | None
) -> tuple[int, int, int, int] | None:
    """Return what was analysed in both; of width or height 0 when that is nothing."""
    if a is None or b is None or a == b:
        return a or b
    x, y = max(a[0], b[0]), max(a[1], b[1])
    right, bottom = min(a[0] + a[2], b[0] + b[2]), min(a[1] + a[3], b[1] + b[3])
    return x, y, max(0, right - x), max(0, bottom - y)


def _dtype(image: NDArray[Any] | SparseImage) -> np.dtype[Any]:
    return image.value.dtype if isinstance(image, SparseImage) else image.dtype


def same_kind(total: Sum, partial: PartialSum) -> bool:
    """Say whether the partial sum could be added: camera, unit and shape are the same."""
    return (total.stream, total.unit, total.shape) == (partial.stream, partial.unit, partial.shape)


def start_sum(partial: PartialSum) -> Sum:
    """Return an empty sum that the partial sum can be added to."""
    dtype = np.float64 if _dtype(partial.image).kind == "f" else np.int64
    return Sum(
        stream=partial.stream,
        unit=partial.unit,
        shape=partial.shape,
        accumulation_id=partial.accumulation_id,
        image=np.zeros(partial.shape, dtype),
        # A big image stays untouched until something is added: it is known to be 0.
        blocks=Blocks.of_zeros(partial.shape),
        seen=None if partial.valid is None else SeenPixels(partial.shape),
        photon_region=partial.photon_region,
    )
