"""One event on its way through a worker: decode, run the kernels, buffer the pixels."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.levels import with_mask
from pipeline.frames.roi_statistics import (
    cmos_statistics,
    counting_statistics,
    sparse_statistics,
)
from pipeline.model.cameras import CAMERAS, Camera, Unit
from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.model.roi_statistics import COLUMNS
from pipeline.photons.detection import clean_pixels, find_photons_with
from pipeline.protocols import sardana, stins
from pipeline.protocols.batch import (
    CameraResult,
    DarkFrame,
    DiscardedFrame,
    EventResult,
    FrameResult,
    PartialSum,
    PhotonFrame,
    SparseImage,
    StartInfo,
)
from pipeline.protocols.sardana import SARDANA, BadRecord, FlushRequest, ScanDescription, ScanRecord
from pipeline.protocols.stins import BadFrame, StinsDiscarded, StinsFrame, StinsHeader
from pipeline.worker.frame_buffers import FrameBuffers
from pipeline.worker.frame_plan import FramePlan, FramePlans
from pipeline.worker.series import AnySeries, Series

logger = logging.getLogger(__name__)

_LARGEST_EXACT = 1 << 40
"""64-bit pixels above it could overflow a sum; no detector counts so far."""


class EventWork:
    """One event, with one snapshot of the settings."""

    def __init__(
        self,
        event: int,
        mapping: str,
        settings: Settings,
        buffers: FrameBuffers,
        may_buffer: bool,
        series: Series | None = None,
        left: Collection[str] = (),
        plans: FramePlans | None = None,
    ) -> None:
        """Take what the event needs.

        Args:
            event: its number.
            mapping: the trigger map it belongs to.
            settings: in force for this event.
            buffers: the pixels that wait in this process.
            may_buffer: pixels may wait for later events.
            series: which cameras' series have begun in this trigger map; None: it does not matter.
            left: streams whose frame another worker takes.
            plans: knows what is done with frames like those before; None: a new one does.
        """
        self._event = event
        self._mapping = mapping
        self._settings = settings
        self._buffers = buffers
        self._flush = not may_buffer
        self._series = AnySeries() if series is None else series
        self._left = left
        self._plans = FramePlans() if plans is None else plans
        self._cameras: list[CameraResult] = []
        self._description: Mapping[str, Any] | None = None
        self._record: Mapping[str, Any] | None = None
        self._record_end = False
        self._failed: list[str] = []
        self._problems: list[str] = []
        self._partials: list[PartialSum] = []

    def process(self, streams: Mapping[str, Any]) -> EventResult:
        """Process all streams of the event.

        Args:
            streams: dranspose's StreamData by name.
        """
        for name, data in streams.items():
            try:
                if name in CAMERAS:
                    self._cameras.append(self._process_camera(CAMERAS[name], data.frames))
                elif name == SARDANA:
                    self._process_record(data.frames)
            except (BadFrame, BadRecord) as error:
                self._fail(name, str(error))
            except Exception as error:
                logger.exception("event %d of %s failed", self._event, name)
                self._fail(name, f"{type(error).__name__}: {error}")
        self._partials += self._buffers.flush() if self._flush else self._buffers.flush_if_due()
        return EventResult(
            cameras=tuple(self._cameras),
            streams=tuple(map(str, streams)),
            description=self._description,
            record=self._record,
            record_end=self._record_end,
            failed=tuple(self._failed),
            problems=tuple(self._problems),
            partials=tuple(self._partials),
        )

    def _fail(self, name: str, error: str) -> None:
        """Note a message that cannot be used; those of the other streams go on."""
        self._failed.append(f"{name}: {error}")
        if name in CAMERAS:
            self._cameras.append(CameraResult(name, failed=True))

    def _process_camera(self, camera: Camera, parts: Any) -> CameraResult:
        stream = camera.stream
        message = stins.parse(parts)
        if isinstance(message, StinsHeader):
            self._series.begin(stream)
            self._buffers.begin(self._mapping)
            self._flush = True
            start = StartInfo(stream, message.filename, message.camera, message.problem)
            return CameraResult(stream, start=start)
        if not self._series.has_begun(stream):
            return CameraResult(stream, late=True)
        if stream in self._left and isinstance(message, StinsFrame | StinsDiscarded):
            return CameraResult(stream, left=message.frame)
        if isinstance(message, StinsFrame):
            frame = self._process_frame(camera, message)
            return CameraResult(stream, frame=frame, dark=self._dark_frame(stream, message))
        if isinstance(message, StinsDiscarded):
            return CameraResult(stream, discarded=DiscardedFrame(stream, message.frame))
        self._series.end(stream)
        self._flush = True
        return CameraResult(stream, series_end=True)

    def _dark_frame(self, stream: str, message: StinsFrame) -> DarkFrame | None:
        """Return the frame as it came, when it may become part of a dark level."""
        request = self._settings.requested_dark
        if request is None or request.stream != stream:
            return None
        return DarkFrame(request.identity, message.image)

    def _process_record(self, parts: Any) -> None:
        message = sardana.parse(parts)
        if isinstance(message, ScanRecord):
            self._record = message.values
            return
        self._flush = True
        if isinstance(message, ScanDescription):
            self._description = message.values
        elif not isinstance(message, FlushRequest):
            self._record_end = True

    def _process_frame(self, camera: Camera, message: StinsFrame) -> FrameResult:
        settings = self._settings
        _check_range(message)
        plan, problems = self._plans.of(camera, message.image, self._mapping, settings)
        self._problems += problems
        masked = plan.levels.masked
        if camera.photon_counting and masked is not None:
            message = replace(message, image=with_mask(message.image, masked))
        photons = None
        if plan.region is not None:
            photons, table = self._find_photons(plan, plan.region, message)
        elif camera.photon_counting:
            table = counting_statistics(message.image, plan.rois)
            self._buffer_frame(plan, message)
        else:
            table = cmos_statistics(
                message.image,
                plan.rois,
                settings.background,
                settings.cmos_threshold,
                plan.levels.level,
            )
            self._buffer_frame(plan, message)
        return FrameResult(
            stream=camera.stream,
            frame=message.frame,
            roi_names=plan.roi_names,
            roi_means=table[:, 0],
            roi_statistics=table,
            accumulate=settings.accumulate,
            accumulation_id=settings.accumulation_id,
            photons=photons,
        )

    def _find_photons(
        self, plan: FramePlan, region: Roi, message: StinsFrame
    ) -> tuple[PhotonFrame, NDArray[np.float64]]:
        settings, shape, rois = plan.settings, plan.key.shape, plan.rois
        found = find_photons_with(settings, message.image, region, plan.levels.level)
        if found.skipped:
            # A skipped frame enters no counts sum; when forwarding it is shown as the Zyla's.
            if not settings.accumulate:
                self._buffer_frame(plan, message)
            return found, np.full((len(rois), len(COLUMNS)), np.nan)
        index = clean_pixels(found.photons, settings.view_threshold, shape, region)
        self._send(self._buffers.of(plan.key.stream).flush())
        self._send(
            PartialSum(
                mapping=self._mapping,
                stream=plan.key.stream,
                unit=Unit.COUNTS,
                shape=shape,
                accumulate=settings.accumulate,
                accumulation_id=settings.accumulation_id,
                events=(self._event,),
                frames=(message.frame,),
                image=SparseImage(index, np.ones(len(index), np.int64)),
                valid=None,
                corrections=plan.key.corrections,
                photon_region=(region.x, region.y, region.width, region.height),
            )
        )
        return found, sparse_statistics(index, shape, rois, plan.levels.masked)

    def _buffer_frame(self, plan: FramePlan, message: StinsFrame) -> None:
        buffer = self._buffers.of(plan.key.stream)
        if not buffer.fits(plan.key):
            self._send(buffer.flush())
        buffer.add(
            plan.key,
            message.image,
            self._event,
            message.frame,
            plan.background,
            plan.settings.cmos_threshold,
        )

    def _send(self, partial: PartialSum | None) -> None:
        if partial is not None:
            self._partials.append(partial)


def _check_range(message: StinsFrame) -> None:
    image = message.image
    if image.dtype.kind in "iu" and image.itemsize == 8:
        low, high = int(image.min()), int(image.max())
        if max(-low, high) >= _LARGEST_EXACT:
            raise BadFrame(f"frame {message.frame} has pixels from {low} to {high}")
