"""Single photons on a CMOS camera: from an image to a list of positions and energies.

A photon's charge spreads over some pixels. A hit is a pixel that is the maximum of its 3×3
neighbourhood; of equal values the first in reading order wins, so that a plateau is one hit and
every tile of an image gives what the whole image gives. The hit's energy is the signed sum of the
nine pixels, its position their centre of gravity.

Two photons whose nine pixels overlap falsify one another: their energies look like good ones, but
their positions are off by a tenth of a pixel. Both are listed, with a flag. Nearer ones are one
hit, which shows by its energy.

The position is the plain centre of gravity, good to 0.030 px rms per axis on simulated clouds.
Cutting off 15 ADU first would give 0.018 px there, but the best cut depends on noise and cloud, and
a list of photons cannot be corrected for it later; a list of plain ones can (eta correction).
"""

import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.frames.read_only import read_only
from pipeline.model.parameters import Settings
from pipeline.model.roi import Roi
from pipeline.photons.detection_kernel import first_above, flag, scan
from pipeline.photons.matched_frame import find_matched
from pipeline.protocols.batch import PhotonFrame, PhotonList

_COMPILED = (np.uint16, np.float32)
"""Types that the kernel reads as they are; others are brought to float64, in which it counts."""


def _native(image: NDArray) -> NDArray:
    """Return the image in a C-contiguous type that the kernel is compiled for."""
    if image.ndim != 2:
        raise ValueError(f"image of shape {image.shape}: expected two dimensions (y, x).")
    if image.dtype.kind not in "biuf":
        raise TypeError(f"image of dtype {image.dtype}: expected integers or floats.")
    native = image.dtype.newbyteorder("=").type
    return read_only(np.ascontiguousarray(image, native if native in _COMPILED else np.float64))


def _empty() -> PhotonList:
    nothing = np.empty(0, np.float32)
    return PhotonList(nothing, nothing, nothing, np.empty(0, np.uint8))


def find_photons(
    image: NDArray,
    *,
    background: float,
    photon_threshold: float,
    energy_threshold: float,
    pileup_threshold: float,
    hot_pixel_ratio: float,
    max_hit_density: float,
    roi: Roi,
    level: NDArray[np.float32] | None = None,
) -> PhotonFrame:
    """Find the photons of one frame.

    The outermost ring of the image has no 3×3 neighbourhood and so no hits. The ROI limits where
    hits are; their nine pixels may lie beyond it. A hit whose nine pixels are not all finite is no
    photon.

    Args:
        image: ``(ny, nx)`` integer or float [ADU raw].
        background: dark level [ADU raw].
        photon_threshold: a hit's own pixel is above it; pixels above it are counted for the
            density [ADU].
        energy_threshold: photons have a 3×3 sum above it [ADU].
        pileup_threshold: photons with a 3×3 sum above it are flagged as pile-up [ADU].
        hot_pixel_ratio: a hit whose own pixel has more than this share of the 3×3 sum is a hot
            pixel; 1 switches that off.
        max_hit_density: a frame with more pixels above the photon threshold per ROI pixel is
            skipped.
        roi: where photons are searched [pixel].
        level: ``(ny, nx)`` dark level of each pixel in the place of the background, infinite where
            a pixel is masked [ADU raw]; None: there is none.

    Returns:
        Photons in reading order of their hits; none when the frame was skipped. Their flags are
        those of `PhotonList`; a neighbour outside of the ROI is not known, but photons that it
        could reach have the flag of the border. The density is
        that of the whole ROI in any case, NaN when the ROI lies outside of the image.

    Raises:
        ValueError: the image is not two-dimensional.
        TypeError: the image holds neither integers nor floats.
    """
    pixels = _native(image)
    ny, nx = pixels.shape
    part = roi.slices((ny, nx))
    if part is None:
        return PhotonFrame(_empty(), float("nan"), skipped=False)
    rows, columns = part
    if level is None:
        first = first_above(pixels.dtype, background, photon_threshold)
    else:
        left = np.float64 if pixels.dtype == np.float64 else np.float32
        first = first_above(np.dtype(left), 0.0, photon_threshold)
    if first is None:
        return PhotonFrame(_empty(), 0.0, skipped=False)
    size = (rows.stop - rows.start) * (columns.stop - columns.start)
    above, hits = scan(
        pixels,
        level,
        rows.start,
        rows.stop,
        columns.start,
        columns.stop,
        first,
        float(background),
        float(energy_threshold),
        float(hot_pixel_ratio),
        max_hit_density * size + 1,
    )
    density = above / size
    if density > max_hit_density:
        return PhotonFrame(_empty(), density, skipped=True)
    flags = flag(
        hits, nx, rows.start, rows.stop, columns.start, columns.stop, float(pileup_threshold)
    )
    y, x, energy = (hits[:, column].astype(np.float32) for column in range(3))
    return PhotonFrame(PhotonList(y, x, energy, flags), density, skipped=False)


_FINDING = (
    "background",
    "dark",
    "mask",
    "mask_noise",
    "photon_threshold",
    "energy_threshold",
    "pileup_threshold",
    "max_hit_density",
    "hot_pixel_ratio",
    "photon_roi",
    "write_photons",
    "matched_filter",
)


@lru_cache(maxsize=8)
def finding_settings(settings: Settings) -> str:
    """Return the settings that decide which photons are found and written, as JSON."""
    return json.dumps({name: getattr(settings, name) for name in _FINDING})


def find_photons_with(
    settings: Settings, image: NDArray, roi: Roi, level: NDArray[np.float32] | None = None
) -> PhotonFrame:
    """Find the photons of one frame as the settings say.

    Args:
        settings: background, thresholds and limits.
        image: as in `find_photons`.
        roi: as in `find_photons`.
        level: as in `find_photons`; a matched filter takes only from it which pixels are masked,
            and has the offsets of its calibration.

    Returns:
        As `find_photons`, with the settings.

    Raises:
        BadFrame: they want a matched filter, and its calibration is of no use.
    """
    if settings.matched is not None:
        found = find_matched(settings, settings.matched, image, roi, level)
    else:
        found = _find_sums(settings, image, roi, level)
    return replace(found, settings=finding_settings(settings), write=settings.write_photons)


def _find_sums(
    settings: Settings, image: NDArray, roi: Roi, level: NDArray[np.float32] | None
) -> PhotonFrame:
    return find_photons(
        image,
        background=settings.background,
        photon_threshold=settings.photon_threshold,
        energy_threshold=settings.energy_threshold,
        pileup_threshold=settings.pileup_threshold,
        hot_pixel_ratio=settings.hot_pixel_ratio,
        max_hit_density=settings.max_hit_density,
        roi=roi,
        level=level,
    )


def clean_pixels(
    photons: PhotonList, view_threshold: float, shape: tuple[int, int], roi: Roi | None = None
) -> NDArray[np.int64]:
    """Return the pixel of each photon that appears in the clean image.

    Args:
        photons: of one frame.
        view_threshold: photons with an energy above it appear [ADU].
        shape: ``(ny, nx)`` of the image [pixel].
        roi: the photon ROI. A photon at its rim may have its centre of gravity just outside; it is
            drawn on the rim, so that the clean image is 0 outside of the ROI and no photon is lost.

    Returns:
        ``(n,) int64`` flat pixel numbers at ``floor(v + 0.5)``; a pixel hit twice stands there
        twice.
    """
    part = (Roi(0, 0, shape[1], shape[0]) if roi is None else roi).slices(shape)
    if part is None:
        return np.empty(0, np.int64)
    seen = photons.energy > view_threshold
    row = np.floor(photons.y[seen].astype(np.float64) + 0.5).astype(np.int64)
    column = np.floor(photons.x[seen].astype(np.float64) + 0.5).astype(np.int64)
    row = row.clip(part[0].start, part[0].stop - 1)
    column = column.clip(part[1].start, part[1].stop - 1)
    return row * shape[1] + column


def clean_image(
    photons: PhotonList, view_threshold: float, shape: tuple[int, int], roi: Roi | None = None
) -> NDArray[np.uint32]:
    """Draw the clean image: one count per photon.

    Args:
        photons: as in `clean_pixels`.
        view_threshold: as in `clean_pixels`.
        shape: as in `clean_pixels`.
        roi: as in `clean_pixels`.

    Returns:
        ``shape uint32`` [counts], 0 where no photon is.
    """
    index = clean_pixels(photons, view_threshold, shape, roi)
    image = np.zeros(shape, np.uint32)
    pixels, counts = np.unique(index, return_counts=True)
    image.reshape(-1)[pixels] = counts
    return image


def warm_up() -> None:
    """Compile the kernel for camera frames, so that the first frame of a scan need not wait.

    A camera's frames are uint16; the result is kept on disk and read in 0.2 s next time.
    """
    frame = np.zeros((3, 3), np.uint16)
    find_photons_with(Settings(), frame, Roi(0, 0, 3, 3))
    find_photons_with(Settings(), frame, Roi(0, 0, 3, 3), np.zeros((3, 3), np.float32))
