"""Photons of one frame with the matched filter, as the settings want it."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.files.atomic import FileError
from pipeline.model.matched import MatchedSettings
from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.calibration import Calibration, CalibrationError
from pipeline.photons.calibration_file import read_calibration
from pipeline.photons.cloud_shape import DEFAULT_CLOUD, reach_of
from pipeline.photons.matched import MatchedFilter, MatchedPhotons, as_frame
from pipeline.protocols.batch import PILED_UP, PhotonFit, PhotonFrame, PhotonList
from pipeline.protocols.stins import BadFrame


@dataclass(frozen=True)
class _Mask:
    """Pixels that must not be used; told from others by the settings that name them."""

    named: tuple[str, str, float]
    level: NDArray[np.float32] | None = field(compare=False)
    """``(ny, nx)`` infinite where masked; None: no pixel is."""

    def part(self, rows: slice, columns: slice) -> NDArray[np.bool_] | None:
        """Return which of some pixels are masked."""
        return None if self.level is None else ~np.isfinite(self.level[rows, columns])


def find_matched(
    settings: Settings,
    matched: MatchedSettings,
    image: NDArray,
    roi: Roi,
    level: NDArray[np.float32] | None = None,
) -> PhotonFrame:
    """Find the photons of one frame with the matched filter.

    The ROI limits where photons have their centre; what lies around it is looked at too.

    Args:
        settings: energy threshold, pile-up threshold and limit of the density.
        matched: the filter.
        image: ``(ny, nx)`` [ADU raw].
        roi: where photons are searched [pixel].
        level: ``(ny, nx)``, infinite where a pixel is masked; None: no pixel is.

    Returns:
        Photons with their errors; none when the frame was skipped. The density is that of the
        candidates.

    Raises:
        BadFrame: the calibration cannot be read, or is not of such frames.
    """
    shape = (image.shape[0], image.shape[1])
    part = roi.slices(shape)
    if part is None:
        return PhotonFrame(_as_list(None), float("nan"), skipped=False)
    mask = _Mask((settings.mask, settings.dark, settings.mask_noise), level)
    try:
        rows, columns, found_by = _filter(matched, roi, shape, mask)
    except (FileError, CalibrationError, ValueError) as error:
        raise BadFrame(f"photons cannot be searched: {error}") from error
    frame = as_frame(image[rows, columns])
    pixels = found_by.candidates(frame)
    density = len(pixels) / frame.size
    if density > settings.max_hit_density:
        return PhotonFrame(_as_list(None), density, skipped=True)
    found = _as_list(found_by.fit(frame, pixels), rows.start, columns.start)
    row, column = (np.floor(at.astype(np.float64) + 0.5) for at in (found.y, found.x))
    inside = (row >= part[0].start) & (row < part[0].stop)
    inside &= (column >= part[1].start) & (column < part[1].stop)
    wanted = _chosen(found, inside & (found.energy > settings.energy_threshold))
    piled_up = wanted.energy > settings.pileup_threshold
    flags = wanted.flags | np.where(piled_up, np.uint8(PILED_UP), np.uint8(0))
    return PhotonFrame(replace(wanted, flags=flags), density, skipped=False)


@lru_cache(maxsize=2)
def _filter(
    matched: MatchedSettings, roi: Roi, shape: tuple[int, int], mask: _Mask
) -> tuple[slice, slice, MatchedFilter]:
    """Return the rows and columns to look at, and the filter for them.

    Raises:
        FileError: there is no such calibration, or it cannot be read.
        CalibrationError: it is none, or of frames of another shape.
        ValueError: the filter does not work with these numbers.
    """
    known = calibration_for(matched.calibration, shape)
    cloud = matched.cloud or DEFAULT_CLOUD
    part = roi.slices(shape)
    assert part is not None
    # So that neighbours beyond the ROI count as they would without one.
    margin = 2 * reach_of(cloud) + 2
    rows, columns = (
        slice(max(side.start - margin, 0), min(side.stop + margin, length))
        for side, length in zip(part, shape, strict=True)
    )
    near, masked = known.part(rows, columns), mask.part(rows, columns)
    if masked is not None:
        near = replace(near, bad=near.bad | masked)
    return rows, columns, MatchedFilter(near, cloud, matched.false_per_frame)


def calibration_for(path: str, shape: tuple[int, int]) -> Calibration:
    """Read a calibration for frames of this shape.

    Args:
        path: of the calibration.
        shape: ``(ny, nx)`` of the frames [pixel].

    Raises:
        FileError: there is no such file, or it cannot be read.
        CalibrationError: it is no calibration, or one of frames of another shape.
    """
    if not path:
        raise CalibrationError("the matched filter needs a calibration, and none is named.")
    known = read_calibration(Path(path))
    if known.shape != shape:
        raise CalibrationError(
            f"{path} is for frames of shape {known.shape}, these have {shape}: calibrate with dark "
            "frames of the same area of interest."
        )
    return known


def _as_list(found: MatchedPhotons | None, top: int = 0, left: int = 0) -> PhotonList:
    """Return photons as a frame has them, at their places in the whole image."""
    if found is None:
        nothing = np.empty(0, np.float32)
        fit = PhotonFit(nothing, nothing, nothing, nothing, nothing)
        return PhotonList(nothing, nothing, nothing, np.empty(0, np.uint8), fit)
    fit = PhotonFit(
        snr=found.snr,
        y_error=found.y_error,
        x_error=found.x_error,
        energy_error=found.energy_error,
        chi_square=found.chi_square,
    )
    y, x = found.y + np.float32(top), found.x + np.float32(left)
    return PhotonList(y, x, found.energy, found.flags, fit)


def _chosen(photons: PhotonList, use: NDArray[np.bool_]) -> PhotonList:
    assert photons.fit is not None
    fit = PhotonFit(**{name: column[use] for name, column in vars(photons.fit).items()})
    return PhotonList(photons.y[use], photons.x[use], photons.energy[use], photons.flags[use], fit)
