"""The photons of a scan that has just begun."""

from pathlib import Path

import numpy as np
import pytest
from support.photons import PHOTON_SETTINGS, header

from pipeline.photons.scan_photons import PhotonScan


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def scan(tmp_path: Path) -> PhotonScan:
    return PhotonScan(header(tmp_path / "raw" / "s.h5"), PHOTON_SETTINGS)
