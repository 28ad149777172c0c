"""What is published of each camera's image; made anew only when the image has changed."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.binning import BinnedImage, full_image, make_preview
from pipeline.frames.roi_statistics import image_statistics
from pipeline.model.cameras import CAMERAS
from pipeline.model.ledger import ledger
from pipeline.model.roi import Roi, format_rois
from pipeline.protocols import snapshot
from pipeline.protocols.packed_datasets import ImageRois
from pipeline.protocols.tree import pack_group
from pipeline.reducer.accumulation import Accumulation
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.lazy_arrays import LazyArray


@dataclass(frozen=True)
class _View:
    """Of one image: its preview, and what is in it."""

    total: Sum
    changes: int
    preview: BinnedImage
    frames: str
    ledger: str
    partly_masked: bool


class ImageViews:
    """Keeps previews and texts of the cameras' images. Hold `lock` around everything."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._views: dict[str, _View] = {}

    def values(self, sums: Accumulation, rois: Mapping[str, Roi]) -> snapshot.CameraImage:
        """Return what is published of a camera's image; nothing without one.

        Args:
            sums: the camera's.
            rois: the camera's, by name.
        """
        shown = sums.shown
        if shown is None:
            return snapshot.CameraImage()
        view = self._views.get(shown.stream)
        if view is None or view.total is not shown or view.changes != sums.changes:
            view = self._views[shown.stream] = _look(shown, sums.changes)
        preview = view.preview
        image = LazyArray(lambda: full_image(shown.image, shown.valid, preview.hottest), self._lock)
        region = shown.photon_region
        return snapshot.CameraImage(
            image=image,
            accumulated=snapshot.PlotImage(image=image, unit=shown.unit),
            image_unit=shown.unit,
            image_shape=np.array(shown.shape, np.int64),
            image_sum=preview.total,
            image_max=preview.hottest,
            accumulated_number=shown.count,
            sum_dtype=shown.image.dtype.str,
            sum_frames=view.frames,
            sum_corrections=json.dumps(shown.masks.frames),
            partly_masked=int(view.partly_masked),
            frames_seen=LazyArray(lambda: _frames_seen(shown), self._lock)
            if view.partly_masked
            else None,
            sum_settings=json.dumps(shown.settings.values()),
            ledger=view.ledger,
            image_region=None if region is None else np.array(region, np.int64),
            preview=snapshot.Preview(
                mean=preview.mean, max=preview.max, binning=preview.binning, unit=shown.unit
            ),
            image_rois=LazyArray(lambda: pack_group(_rois(shown, rois)), self._lock),
            pixel_size=np.array(CAMERAS[shown.stream].pixel_size),
            detector=shown.stream,
        )


def _rois(shown: Sum, rois: Mapping[str, Roi]) -> ImageRois:
    return ImageRois(
        rois=format_rois({name: roi.place for name, roi in rois.items()}),
        statistics=image_statistics(shown.image, shown.valid, list(rois.values())),
        frames=shown.count,
        unit=shown.unit,
    )


def _look(shown: Sum, changes: int) -> _View:
    frames = {scan: ranges.as_tuple() for scan, ranges in shown.frames.items()}
    return _View(
        total=shown,
        changes=changes,
        preview=make_preview(shown.image, shown.valid),
        frames=json.dumps(frames),
        ledger=ledger(
            shown.stream,
            shown.unit,
            shown.count,
            shown.frames.items(),
            shown.settings,
            shown.masks.frames,
        ),
        partly_masked=shown.frames_seen is not None,
    )


def _frames_seen(shown: Sum) -> NDArray[np.uint32]:
    seen = shown.frames_seen
    return np.full(shown.shape, shown.count, np.uint32) if seen is None else seen
