"""Photons found in one image, beside those that the reference finds."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.photon_reference import as_arrays, reference_photons

from pipeline.model.roi import Roi
from pipeline.photons.detection import find_photons
from pipeline.protocols.batch import PhotonFrame, PhotonList

LIMITS = {
    "background": 100.0,
    "photon_threshold": 110.0,
    "energy_threshold": 300.0,
    "pileup_threshold": 1400.0,
    "hot_pixel_ratio": 0.9,
}
EVERYWHERE = Roi(-10, -10, 10_000, 10_000)


def find(
    image: np.ndarray,
    roi: Roi = EVERYWHERE,
    level: np.ndarray | None = None,
    **changes: float,
) -> PhotonFrame:
    limits = {**LIMITS, "max_hit_density": 1.0, **changes}
    return find_photons(image, roi=roi, level=level, **limits)


def columns(photons: PhotonList) -> np.ndarray:
    assert photons.flags.dtype == np.uint8
    return np.stack([photons.y, photons.x, photons.energy, photons.flags], axis=1)


def check(image: np.ndarray, roi: Roi = EVERYWHERE, **changes: float) -> PhotonFrame:
    """Compare with the reference, and return what was found."""
    found = find(image, roi, **changes)
    expected, density = reference_photons(image, roi=roi, **{**LIMITS, **changes})
    assert np.array_equal(found.density, density, equal_nan=True)
    assert not found.skipped
    assert columns(found.photons).dtype == np.float32
    np.testing.assert_array_equal(columns(found.photons), as_arrays(expected).astype(np.float32))
    return found


def dark(ny: int = 9, nx: int = 9, dtype: type = np.uint16) -> np.ndarray:
    return np.full((ny, nx), 100, dtype)


def draw(image: np.ndarray, y: int, x: int, height: float = 500.0) -> np.ndarray:
    """Add a photon of 3x3 pixels; what lies beyond the image is lost."""
    shares = np.outer([0.2, 1.0, 0.2], [0.2, 1.0, 0.2]) * height
    for dy in range(3):
        for dx in range(3):
            at = y + dy - 1, x + dx - 1
            if 0 <= at[0] < image.shape[0] and 0 <= at[1] < image.shape[1]:
                image[at] += image.dtype.type(shares[dy, dx])
    return image


rois = st.builds(
    Roi, st.integers(-4, 12), st.integers(-4, 12), st.integers(1, 20), st.integers(1, 20)
)
shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)
