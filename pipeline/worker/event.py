"""One event on its way through a worker: parse, run the kernels, hold pixels back."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.roi_means import cmos_means, counting_means, sparse_means
from pipeline.frames.summing import sum_dtype
from pipeline.model.cameras import DETECTORS, Detector, Unit
from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.detection import clean_pixels, find_photons_with
from pipeline.protocols.batch import FrameResult, PartialSum, PhotonFrame, SparseImage, StartInfo
from pipeline.protocols.sardana import FLUSH_TITLE, SARDANA
from pipeline.protocols.stins import BadFrame, StinsFrame, StinsHeader, parse
from pipeline.worker.frame_buffer import BufferPool, Held, HoldKey

logger = logging.getLogger(__name__)

_LARGEST_EXACT = 1 << 40
"""64-bit pixels above it could overflow a sum; no detector counts so far."""


def hand_over_interval(nbytes: int) -> float:
    """Return how long pixels may be held back [s]; big sums are sent less often."""
    return min(0.4, 0.15 + nbytes * 4e-9)


@dataclass
class HeldPixels:
    """What a worker process holds back; outlives scans."""

    held: Held | None = None
    handed_over: float = 0.0
    """Monotonic time [s]."""
    pool: BufferPool = field(default_factory=BufferPool)


class EventWork:
    """One event, with one snapshot of the settings."""

    def __init__(
        self, event: int, mapping: str, settings: Settings, pixels: HeldPixels, hold: bool
    ) -> None:
        """Take what the event needs.

        Args:
            event: its number.
            mapping: the trigger map it belongs to.
            settings: in force for this event.
            pixels: what the worker holds back.
            hold: pixels may be held back for later events.
        """
        self._event = event
        self._mapping = mapping
        self._settings = settings
        self._pixels = pixels
        self._found: dict[str, Any] = {}
        self._failed: list[str] = []
        self._partials: list[PartialSum] = []
        self._flush = not hold

    def run(self, streams: Mapping[str, Any]) -> dict[str, Any]:
        """Process all streams and return the fields of the event's `Batch`."""
        for name, data in streams.items():
            try:
                if name in DETECTORS:
                    self._camera(DETECTORS[name], data)
                elif name == SARDANA:
                    self._sardana(data)
            except BadFrame as error:
                self._failed.append(f"{name}: {error}")
            except Exception as error:
                logger.exception("event %d of %s failed", self._event, name)
                self._failed.append(f"{name}: {type(error).__name__}: {error}")
        self._hand_over_if_due()
        return {
            **self._found,
            "failed": tuple(self._failed),
            "streams": tuple(streams),
            "partials": tuple(self._partials),
        }

    def _camera(self, detector: Detector, data: Any) -> None:
        message = parse(data.frames)
        if isinstance(message, StinsHeader):
            self._found["start"] = StartInfo(
                detector.stream, message.filename, message.camera, message.problem
            )
            self._flush = True
        elif isinstance(message, StinsFrame):
            self._frame(detector, message)
        else:
            self._found["series_end"] = True
            self._flush = True

    def _sardana(self, data: Any) -> None:
        try:
            message = json.loads(bytes(getattr(data.frames[0], "buffer", data.frames[0])))
            kind = message["type"]
        except (ValueError, IndexError, KeyError, TypeError) as error:
            raise BadFrame(f"message without JSON type: {error}") from error
        if kind == "DataDescription":
            self._flush = True
            if message.get("title") != FLUSH_TITLE:
                self._found["description"] = message
        elif kind == "RecordData":
            self._found["record"] = message
        elif kind == "RecordEnd":
            self._found["record_end"] = True
            self._flush = True
        else:
            raise BadFrame(f"unknown message type {kind!r}")

    def _frame(self, detector: Detector, message: StinsFrame) -> None:
        image, settings = message.image, self._settings
        if image.dtype.kind in "iu" and image.itemsize == 8:
            low, high = int(image.min()), int(image.max())
            if max(-low, high) >= _LARGEST_EXACT:
                raise BadFrame(f"frame {message.frame} has pixels from {low} to {high}")
        rois = settings.roi_map
        photons = None
        region = settings.photon_region if detector.finds_photons else None
        if region is not None:
            photons, means = self._photons(message, region, list(rois.values()))
        elif detector.photon_counting:
            means = counting_means(image, list(rois.values()))
            self._hold(detector, message, detector.unit)
        else:
            means = cmos_means(
                image, list(rois.values()), settings.background, settings.cmos_threshold
            )
            self._hold(detector, message, detector.unit)
        self._found["frame"] = FrameResult(
            stream=detector.stream,
            frame=message.frame,
            roi_names=tuple(rois),
            roi_means=means,
            accumulate=settings.accumulate,
            accumulation_id=settings.accumulation_id,
            photons=photons,
        )

    def _photons(
        self, message: StinsFrame, region: Roi, rois: list[Roi]
    ) -> tuple[PhotonFrame, NDArray[np.float64]]:
        image, settings = message.image, self._settings
        shape = (image.shape[0], image.shape[1])
        detector = next(d for d in DETECTORS.values() if d.finds_photons)
        found = find_photons_with(settings, image, region)
        if found.skipped:
            # A skipped frame enters no counts sum; when forwarding it is shown as the Zyla's.
            if not settings.accumulate:
                self._hold(detector, message, Unit.ADU)
            return found, np.full(len(rois), np.nan)
        index = clean_pixels(found.photons, settings.view_threshold, shape, region)
        self._hand_over()
        self._partials.append(
            PartialSum(
                mapping=self._mapping,
                stream=detector.stream,
                unit=Unit.COUNTS,
                shape=shape,
                accumulate=settings.accumulate,
                accumulation_id=settings.accumulation_id,
                events=(self._event,),
                frames=(message.frame,),
                image=SparseImage(index, np.ones(len(index), np.int64)),
                good=None,
                photon_region=(region.x, region.y, region.width, region.height),
            )
        )
        return found, sparse_means(index, shape, rois)

    def _hold(self, detector: Detector, message: StinsFrame, unit: str) -> None:
        image, settings = message.image, self._settings
        background = 0.0 if detector.photon_counting else settings.background
        key = HoldKey(
            mapping=self._mapping,
            stream=detector.stream,
            unit=unit,
            shape=(image.shape[0], image.shape[1]),
            dtype=sum_dtype(image.dtype, background),
            accumulate=settings.accumulate,
            accumulation_id=settings.accumulation_id,
        )
        held = self._pixels.held
        if held is None or held.key != key or held.full:
            self._hand_over()
            held = self._pixels.held = Held(key, self._pixels.pool)
        held.add(image, self._event, message.frame, background, settings.cmos_threshold)

    def _hand_over_if_due(self) -> None:
        held = self._pixels.held
        if held is None:
            return
        height, width = held.key.shape
        waited = time.monotonic() - self._pixels.handed_over
        due = waited >= hand_over_interval(height * width * held.key.dtype.itemsize)
        if self._flush or due:
            self._hand_over()

    def _hand_over(self) -> None:
        pixels = self._pixels
        partial = pixels.held.hand_over() if pixels.held is not None else None
        if partial is not None:
            self._partials.append(partial)
            pixels.handed_over = time.monotonic()
