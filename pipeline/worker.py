"""The map step: parse an event, run the kernels, keep pixels back until it pays to send them."""

import itertools
import json
import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.descriptions import describe_parameters, parameter_bytes
from pipeline.detectors import DETECTORS, Detector
from pipeline.held import BufferPool, Held, HoldKey, sum_dtype
from pipeline.parameters import Settings, settings_from_bytes
from pipeline.photons import clean_pixels, find_photons
from pipeline.results import (
    FLUSH_TITLE,
    SARDANA,
    Batch,
    FrameResult,
    PartialSum,
    PhotonFrame,
    SparseImage,
    StartInfo,
    Unit,
)
from pipeline.roi_stats import cmos_means, counting_means, sparse_means
from pipeline.rois import Roi
from pipeline.stins import BadFrame, StinsFrame, StinsHeader, parse

logger = logging.getLogger(__name__)

_REPLAY_NAME = "replay-worker-"
_LARGEST_EXACT = 1 << 40
"""64-bit pixels above it could overflow a sum; no detector counts so far."""


def hand_over_interval(nbytes: int) -> float:
    """Return how long pixels may be held back [s]; big sums are sent less often."""
    return min(0.4, 0.15 + nbytes * 4e-9)


@dataclass
class _Pending:
    """A batch that may not have reached the reducer."""

    owner: object
    batch: Batch


@dataclass
class WorkerStore:
    """What outlives a scan: dranspose makes a new worker object for each one."""

    boot: str = field(default_factory=lambda: uuid.uuid4().hex)
    lock: threading.Lock = field(default_factory=threading.Lock)
    sequence: "itertools.count[int]" = field(default_factory=itertools.count)
    pending: list[_Pending] = field(default_factory=list)
    held: Held | None = None
    handed_over: float = 0.0
    pool: BufferPool = field(default_factory=BufferPool)
    settings: Settings = field(default_factory=Settings)
    parameter_data: Mapping[str, bytes] = field(default_factory=dict)

    def acknowledge(self, owner: object) -> None:
        """Forget what was delivered: dranspose calls the same object again only after sending."""
        for pending in self.pending:
            if pending.owner is owner:
                for partial in pending.batch.partials:
                    self.pool.give_back(partial)
        self.pending = [p for p in self.pending if p.owner is not owner]


class FemtomaxWorker:
    """dranspose worker of the FemtoMAX pipeline."""

    def __init__(
        self,
        parameters: Mapping[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        state: Any = None,
        **_: Any,
    ) -> None:
        context = {} if context is None else context
        self._store: WorkerStore = context.setdefault("femtotango", WorkerStore())
        self._name = str(getattr(state, "name", "worker"))
        self._mapping = str(getattr(state, "mapping_uuid", None))
        self._replaying = self._name.startswith(_REPLAY_NAME)

    @staticmethod
    def describe_parameters() -> list[Any]:
        """Return dranspose's description of all parameters."""
        return describe_parameters()

    def process_event(
        self, event: Any, parameters: Mapping[str, Any], tick: bool = False
    ) -> tuple[Batch, ...]:
        """Process one event.

        Args:
            event: dranspose's EventData.
            parameters: dranspose's parameters.
            tick: not used; dranspose gives it to one worker only.

        Returns:
            The event's batch, behind those of a cut-off scan that may have been lost.
        """
        store = self._store
        with store.lock:
            store.acknowledge(self)
            refused = self._update_settings(parameters)
            batch = _EventWork(self, store, int(event.event_number)).run(event.streams)
            store.pending.append(_Pending(self, replace(batch, refused=refused)))
            for pending in store.pending:
                pending.owner = self
            return tuple(pending.batch for pending in store.pending)

    def _update_settings(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        store = self._store
        data = parameter_bytes(parameters)
        if data == store.parameter_data:
            return ()
        store.settings, refused = settings_from_bytes(data, store.settings)
        store.parameter_data = data
        return refused


class _EventWork:
    """One event on its way through a worker, with one snapshot of the settings."""

    def __init__(self, worker: FemtomaxWorker, store: WorkerStore, event: int) -> None:
        self._worker = worker
        self._store = store
        self._settings = store.settings
        self._event = event
        self._found: dict[str, Any] = {}
        self._failed: list[str] = []
        self._partials: list[PartialSum] = []
        self._flush = worker._replaying

    def run(self, streams: Mapping[str, Any]) -> Batch:
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
        store = self._store
        return Batch(
            boot=store.boot,
            sequence=next(store.sequence),
            mapping=self._worker._mapping,
            worker=self._worker._name,
            event=self._event,
            failed=tuple(self._failed),
            streams=tuple(streams),
            partials=tuple(self._partials),
            **self._found,
        )

    def _camera(self, detector: Detector, data: Any) -> None:
        message = parse(data.frames)
        if isinstance(message, StinsHeader):
            self._found["start"] = StartInfo(detector.stream, message.filename, message.camera)
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
        if image.dtype.kind in "iu" and image.itemsize == 8 and image.max() >= _LARGEST_EXACT:
            raise BadFrame(f"frame {message.frame} has pixels of {image.max()}")
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
        found = find_photons(
            image,
            background=settings.background,
            photon_threshold=settings.photon_threshold,
            energy_threshold=settings.energy_threshold,
            pileup_threshold=settings.pileup_threshold,
            hot_pixel_ratio=settings.hot_pixel_ratio,
            max_hit_density=settings.max_hit_density,
            roi=region,
        )
        if found.skipped:
            # A skipped frame enters no counts sum; when forwarding it is shown as the Zyla's.
            if not settings.accumulate:
                self._hold(detector, message, Unit.ADU)
            return found, np.full(len(rois), np.nan)
        index = clean_pixels(found.photons, settings.view_threshold, shape)
        self._hand_over()
        self._partials.append(
            PartialSum(
                mapping=self._worker._mapping,
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
            mapping=self._worker._mapping,
            stream=detector.stream,
            unit=unit,
            shape=(image.shape[0], image.shape[1]),
            dtype=sum_dtype(image.dtype, background),
            accumulate=settings.accumulate,
            accumulation_id=settings.accumulation_id,
        )
        held = self._store.held
        if held is None or held.key != key or held.full:
            self._hand_over()
            held = self._store.held = Held(key, self._store.pool)
        held.add(image, self._event, message.frame, background, settings.cmos_threshold)

    def _hand_over_if_due(self) -> None:
        held = self._store.held
        if held is None:
            return
        height, width = held.key.shape
        waited = time.monotonic() - self._store.handed_over
        due = waited >= hand_over_interval(height * width * held.key.dtype.itemsize)
        if self._flush or due:
            self._hand_over()

    def _hand_over(self) -> None:
        store = self._store
        partial = store.held.hand_over() if store.held is not None else None
        if partial is not None:
            self._partials.append(partial)
            store.handed_over = time.monotonic()
