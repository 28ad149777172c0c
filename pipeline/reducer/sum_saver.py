"""Save a sum in the output folder."""

import dataclasses
import logging

from pipeline.diffraction.geometry import with_geometry_of
from pipeline.diffraction.integration import Integrator, share_of
from pipeline.files.nexus_image import ImageRecord, save_sum
from pipeline.model.cameras import CAMERAS
from pipeline.model.parameters import Settings
from pipeline.reducer.growing_sum import Sum
from pipeline.reducer.live_integration import geometry_of, region_of
from pipeline.reducer.state import ReducerState

logger = logging.getLogger(__name__)

_MIN_FRAMES = 2
"""A single frame is no sum that anybody misses."""


class SumSaver:
    """Writes sums; called from one thread, outside of the path of results."""

    def __init__(self, state: ReducerState) -> None:
        self._state = state

    def save(self, total: Sum) -> None:
        """Save a sum when it has enough frames, is not saved yet and a folder is set.

        Raises:
            FileError: the file cannot be written.
        """
        with self._state.lock:
            settings = self._state.settings
            if not self.must_save(total):
                total.saved_count = total.count
                self._state.note_saved(total)
                return
            owner = settings.geometry_camera or (total.stream if total.first else "")
            record = _record(
                total, with_geometry_of(total.settings, settings), owner == total.stream
            )
        path = save_sum(settings.output_folder, _with_curve(record, total))
        total.saved_count = record.count
        self._state.note_saved(total)
        logger.info("saved a sum of %d frames as %s", record.count, path)

    def must_save(self, total: Sum) -> bool:
        """Say whether a sum is to be saved and is not yet."""
        folder = self._state.settings.output_folder
        return bool(folder) and total.count >= _MIN_FRAMES and total.saved_count != total.count


def _record(total: Sum, settings: Settings, has_geometry: bool) -> ImageRecord:
    valid, seen = total.valid, total.frames_seen
    return ImageRecord(
        image=total.image.copy(),
        valid=None if valid is None else valid.copy(),
        count=total.count,
        unit=total.unit,
        detector=total.stream,
        pixel_size=CAMERAS[total.stream].pixel_size,
        frames=tuple((scan, ranges.copy()) for scan, ranges in total.frames.items()),
        settings=settings,
        geometry=geometry_of(settings, total) if has_geometry else None,
        corrections=dict(total.masks.frames),
        frames_seen=None if seen is None else seen.copy(),
    )


def _with_curve(record: ImageRecord, total: Sum) -> ImageRecord:
    if record.geometry is None or not record.settings.azimuthal_bins:
        return record
    image = record.image.astype(float)
    if record.valid is not None:
        image[~record.valid] = float("nan")
    curve = Integrator().integrate(
        image,
        record.geometry,
        record.settings.azimuthal_bins,
        record.unit,
        region_of(total),
        record.settings.polarization,
        share_of(record.frames_seen, record.count),
    )
    return dataclasses.replace(record, curve=curve)
