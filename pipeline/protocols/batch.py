"""What travels from worker to reducer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

OVERLAPS = 1
"""Flag of a photon: its nine pixels overlap those of another one in the list."""
PILED_UP = 2
"""Flag of a photon: its 3×3 sum is above the pile-up threshold."""
AT_BORDER = 4
"""Flag of a photon: among its nine pixels, or beside them, the photon ROI or the image ends."""


@dataclass(frozen=True)
class StartInfo:
    """A camera's header: the start of its series."""

    stream: str
    filename: str
    camera: Mapping[str, Any] = field(default_factory=dict)
    """The header's second part, camera settings; empty when there was none."""
    problem: str = ""
    """Why the second part could not be read; empty: it could, or there was none."""


@dataclass(frozen=True)
class PhotonFit:
    """What the matched filter says of each photon beside its place and energy."""

    snr: NDArray[np.float32]
    """Signal-to-noise ratio at the fitted place."""
    y_error: NDArray[np.float32]
    """Standard error of y [pixel]."""
    x_error: NDArray[np.float32]
    energy_error: NDArray[np.float32]
    """[ADU]"""
    chi_square: NDArray[np.float32]
    """Of the fit, per degree of freedom."""


@dataclass(frozen=True)
class PhotonList:
    """Photons of one frame; arrays of equal length."""

    y: NDArray[np.float32]
    x: NDArray[np.float32]
    energy: NDArray[np.float32]
    flags: NDArray[np.uint8]
    """Sum of `OVERLAPS`, `PILED_UP` and `AT_BORDER`."""
    fit: PhotonFit | None = None
    """None: they are sums of nine pixels."""

    def __len__(self) -> int:
        return len(self.energy)

    @property
    def falsified(self) -> NDArray[np.bool_]:
        """Return which photons have their energy or place from more than one."""
        return self.flags & (OVERLAPS | PILED_UP) != 0


class FrameStatus(IntEnum):
    """What came of a frame, as it stands in the photon file."""

    SEARCHED = 0
    TOO_DENSE = 1
    """The density guard refused it."""
    FAILED = 2
    NOT_SEARCHED = 3
    """There was no photon ROI, or `write_photons` was off."""
    NEVER_CAME = 4
    DISCARDED = 5
    """The camera marked it as one that is not saved."""


@dataclass(frozen=True)
class PhotonFrame:
    """Result of photon detection on one frame."""

    photons: PhotonList
    density: float
    """Pixels above the photon threshold per ROI pixel; NaN when the ROI is outside the image."""
    skipped: bool
    """The density guard refused the frame: it has no photons, not even zero."""
    settings: str = ""
    """Those that decide which photons are found and written, in force for this frame, as JSON."""
    write: bool = True
    """They say that its photons go to the file."""


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
    roi_statistics: NDArray[np.float64] | None = None
    """``(roi, column)`` with the columns of `pipeline.model.roi_statistics`; None: only means."""


@dataclass(frozen=True)
class DiscardedFrame:
    """A frame that the camera marks as one that is not saved: it is counted, nothing else."""

    stream: str
    frame: int


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
    valid: NDArray[np.bool_] | None
    """Pixels that the camera did not mask itself in at least one frame; None: all."""
    missed: SparseImage | None = None
    """Of the valid ones, those that were masked in some frames, and in how many; None: in none."""
    corrections: str = ""
    """Dark level and mask of all its frames, as JSON (`pipeline.model.correction_files`); pixels
    that they mask are 0 in the image."""
    photon_region: tuple[int, int, int, int] | None = None
    """``(x, y, width, height)`` outside of which a counts image was not analysed."""

    def __getstate__(self) -> dict[str, Any]:
        # A bit for each valid pixel instead of a byte: it is copied several times on its way.
        bits = None if self.valid is None else (np.packbits(self.valid), self.valid.shape)
        return {**self.__dict__, "valid": bits}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if state["valid"] is not None:
            bits, shape = state["valid"]
            valid = np.unpackbits(bits, count=shape[0] * shape[1]).view(np.bool_)
            self.__dict__["valid"] = valid.reshape(shape)


@dataclass(frozen=True)
class DarkFrame:
    """A raw frame on its way into a dark level."""

    request: str
    """Identity of the request that asked for it."""
    image: NDArray[Any]
    """``(ny, nx)`` [ADU raw]."""


@dataclass(frozen=True)
class CameraResult:
    """What one camera's message gave: one of these, or nothing that can be used."""

    stream: str
    start: StartInfo | None = None
    frame: FrameResult | None = None
    discarded: DiscardedFrame | None = None
    series_end: bool = False
    failed: bool = False
    """It came and could not be used."""
    late: bool = False
    """It belongs to a series that began in an earlier trigger map: it is counted, nothing else."""
    left: int | None = None
    """Number of a frame that another worker takes: it came in an event that goes to all of them."""
    dark: DarkFrame | None = None
    """The frame as it came, when a dark level is being taken."""

    @property
    def frame_number(self) -> int | None:
        """Number of the frame that it brought; None: it brought none, or one that failed."""
        brought = self.frame or self.discarded
        return None if brought is None else brought.frame


@dataclass(frozen=True)
class EventResult:
    """Everything that one event gave."""

    cameras: tuple[CameraResult, ...] = ()
    """One for each camera of the event."""
    streams: tuple[str, ...] = ()
    """Streams of which the event brought a message, whatever came of it."""
    description: Mapping[str, Any] | None = None
    """Sardana's DataDescription."""
    record: Mapping[str, Any] | None = None
    """Sardana's RecordData: closes a burst."""
    record_end: bool = False
    failed: tuple[str, ...] = ()
    """Why a frame or record could not be used."""
    problems: tuple[str, ...] = ()
    """What could not be done to the frames, which were taken without it."""
    partials: tuple[PartialSum, ...] = ()
    """Sums that were flushed in this event; of its own frames and of earlier ones."""

    @property
    def frames(self) -> tuple[FrameResult, ...]:
        """The frames of all cameras that could be used."""
        return tuple(one.frame for one in self.cameras if one.frame is not None)

    @property
    def starts(self) -> tuple[StartInfo, ...]:
        """The headers of all cameras."""
        return tuple(one.start for one in self.cameras if one.start is not None)

    @property
    def has_only_frames(self) -> bool:
        """True when it holds what frames gave, small, and nothing that somebody waits for."""
        if self.description is not None or self.record is not None or self.record_end:
            return False
        if self.failed or self.problems or not self.cameras:
            return False
        if any(one.frame is None or one.dark is not None for one in self.cameras):
            return False
        return all(partial.photon_region is not None for partial in self.partials)

    @property
    def series_end(self) -> bool:
        """True when the series of a camera ends."""
        return any(one.series_end for one in self.cameras)


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
    passed: tuple[tuple[int, str], ...] = ()
    """Event and stream of messages that the worker does not wait for any more; they may come."""

    def without_darks(self) -> tuple["Batch", tuple[DarkFrame, ...]]:
        """Return the batch without raw frames, and these."""
        cameras = self.result.cameras
        darks = tuple(one.dark for one in cameras if one.dark is not None)
        if not darks:
            return self, ()
        emptied = replace(self.result, cameras=tuple(replace(c, dark=None) for c in cameras))
        return replace(self, result=emptied), darks
