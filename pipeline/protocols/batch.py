"""What travels from worker to reducer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StartInfo:
    """A camera's header: the start of its series."""

    stream: str
    filename: str
    camera: Mapping[str, Any] = field(default_factory=dict)
    """The header's second part, camera settings; empty when there was none."""


@dataclass(frozen=True)
class PhotonList:
    """Photons of one frame; three arrays of equal length."""

    y: NDArray[np.float32]
    x: NDArray[np.float32]
    energy: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.energy)


@dataclass(frozen=True)
class PhotonFrame:
    """Result of photon detection on one frame."""

    photons: PhotonList
    density: float
    """Pixels above the photon threshold per ROI pixel; NaN when the ROI is outside the image."""
    skipped: bool
    """The density guard refused the frame: it has no photons, not even zero."""
    pileup: int = 0
    """Photons above the pile-up threshold that was in force."""


@dataclass(frozen=True)
class FrameResult:
    """Scalars of one valid frame."""

    stream: str
    frame: int
    """Number in its series, as the detector counts."""
    roi_names: tuple[str, ...]
    roi_means: NDArray[np.float64]
    """``(roi,)`` in the order of the names; NaN: no valid pixel."""
    accumulate: bool
    accumulation_id: int
    photons: PhotonFrame | None = None
    """None: photon detection was off."""


@dataclass(frozen=True)
class SparseImage:
    """An image that is zero but for a few pixels."""

    index: NDArray[np.integer[Any]]
    """Flat pixel numbers; one may stand there twice."""
    value: NDArray[Any]
    """Numbers that are added at those pixels."""


@dataclass(frozen=True)
class PartialSum:
    """Pixels of some frames of one worker, flushed together."""

    mapping: str
    """The trigger map that the frames belong to."""
    stream: str
    unit: str
    shape: tuple[int, int]
    accumulate: bool
    """True: a sum of all its frames. False: the newest processed frame alone."""
    accumulation_id: int
    events: tuple[int, ...]
    frames: tuple[int, ...]
    image: NDArray[Any] | SparseImage
    good: NDArray[np.bool_] | None
    """Pixels that were good in at least one frame; None: all."""
    photon_region: tuple[int, int, int, int] | None = None
    """``(x, y, width, height)`` outside of which a counts image was not analysed."""


@dataclass(frozen=True)
class EventResult:
    """Everything that one event gave."""

    start: StartInfo | None = None
    frame: FrameResult | None = None
    description: Mapping[str, Any] | None = None
    """Sardana's DataDescription."""
    record: Mapping[str, Any] | None = None
    """Sardana's RecordData: closes a burst."""
    record_end: bool = False
    series_end: bool = False
    failed: tuple[str, ...] = ()
    """Why a frame or record could not be used."""
    partials: tuple[PartialSum, ...] = ()
    """Sums that were flushed in this event; of its own frame and of earlier ones."""


@dataclass(frozen=True)
class Batch:
    """The result of one event on its way; counted once, told by boot and sequence."""

    boot: str
    """The worker process."""
    sequence: int
    """Counts the batches of that process."""
    mapping: str
    """The trigger map (the scan) that the event belongs to."""
    worker: str
    event: int
    result: EventResult
    refused: tuple[str, ...] = ()
    """Parameters that could not be read."""
