"""What is done with a camera's frames: found out for the first of a kind, kept for those like it.

A worker's caches are full of the last image when the next frame comes: whatever is looked up for
each frame is looked up in slow memory.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.summing import sum_dtype
from pipeline.model.cameras import Camera, Unit
from pipeline.model.correction_files import Corrections, format_files
from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.corrections import CorrectionLoader, Levels
from pipeline.worker.frame_buffer import BufferKey


@dataclass(frozen=True)
class FramePlan:
    """What is done with frames of one camera, shape, dtype and trigger map."""

    settings: Settings
    """Those in force; where photons are searched, they name the dark level and mask in use."""
    levels: Levels
    """Dark level and mask."""
    roi_names: tuple[str, ...]
    """Of the ROIs that may be the camera's."""
    rois: tuple[Roi, ...]
    """In the order of their names."""
    region: Roi | None
    """Where photons are searched; None: nowhere, frames are added up."""
    key: BufferKey
    """Of the sum of frames as they come."""
    background: float | NDArray[Any]
    """What is subtracted from frames that are added up [ADU raw]."""


class FramePlans:
    """The newest plan of each camera."""

    def __init__(self, corrections: CorrectionLoader | None = None) -> None:
        """Begin without a plan.

        Args:
            corrections: reads dark levels and masks; None: a new one does.
        """
        self._corrections = CorrectionLoader() if corrections is None else corrections
        self._known: dict[str, tuple[Settings, FramePlan, np.dtype[Any]]] = {}
        """By stream, with the settings that it was made from and the dtype of the frames."""

    @property
    def are_sound(self) -> bool:
        """True when no file had a problem: none is read for frames like those before."""
        return self._corrections.are_sound

    def of(
        self, camera: Camera, image: NDArray[Any], mapping: str, settings: Settings
    ) -> tuple[FramePlan, tuple[str, ...]]:
        """Return what is done with a frame, and which files cannot be used.

        Args:
            camera: that sent it.
            image: ``(ny, nx)``.
            mapping: trigger map that it belongs to.
            settings: in force.
        """
        known = self._known.get(camera.stream)
        if known is not None:
            made_from, plan, dtype = known
            if (
                settings is made_from
                and image.dtype == dtype
                and image.shape == plan.key.shape
                and mapping == plan.key.mapping
            ):
                return plan, ()
        plan, problems = self._make(camera, image, mapping, settings)
        if self._corrections.is_sound(camera.stream):
            self._known[camera.stream] = settings, plan, image.dtype
        else:
            # The file is looked at again after a while.
            self._known.pop(camera.stream, None)
        return plan, problems

    def _make(
        self, camera: Camera, image: NDArray[Any], mapping: str, settings: Settings
    ) -> tuple[FramePlan, tuple[str, ...]]:
        stream, shape = camera.stream, (image.shape[0], image.shape[1])
        levels, problems = self._corrections.levels(
            stream, shape, settings.corrections(stream), settings.background
        )
        searched = stream in settings.photon_streams
        region = settings.photon_region if searched else None
        background = 0.0 if camera.photon_counting else settings.background
        level = levels.for_sums
        key = BufferKey(
            mapping=mapping,
            stream=stream,
            unit=camera.unit if region is None else Unit.ADU,
            shape=shape,
            dtype=_dtype_of_sum(image.dtype, background, level),
            accumulate=settings.accumulate,
            accumulation_id=settings.accumulation_id,
            corrections=levels.corrections.as_text(),
        )
        in_force = settings
        if region is not None:
            in_force = _as_in_force(settings, stream, levels.corrections)
        # Which camera of the scan comes first, and has the ROIs of none, only the reducer knows.
        rois = {n: r for n, r in settings.roi_map.items() if r.camera in ("", stream)}
        subtracted = background if level is None else level
        names, places = tuple(rois), tuple(rois.values())
        return FramePlan(in_force, levels, names, places, region, key, subtracted), problems


def _dtype_of_sum(
    image: np.dtype[Any], background: float, level: NDArray[Any] | None
) -> np.dtype[Any]:
    if level is None:
        return sum_dtype(image, background)
    return np.dtype(np.float64) if level.dtype.kind == "f" else sum_dtype(image)


def _as_in_force(settings: Settings, stream: str, used: Corrections) -> Settings:
    """Return settings that name the dark level and the mask of the camera that were used."""
    return replace(
        settings,
        dark=format_files({} if used.dark is None else {stream: used.dark}),
        mask=format_files({} if used.mask is None else {stream: used.mask}),
    )
