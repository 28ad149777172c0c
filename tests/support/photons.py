"""Photons and settings for tests."""

from pathlib import Path

import h5py
import numpy as np

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import PhotonFrame, PhotonList, StartInfo

PHOTON_SETTINGS = Settings().replaced(
    "photon_roi", '{"x": 0, "y": 0, "width": 4128, "height": 4104}'
)


def header(filename: Path | str, **camera: object) -> StartInfo:
    return StartInfo("andor3_balor", str(filename), camera)


def photon_frame(
    rng: np.random.Generator, count: int, energy: float = 1210.0, density: float = 1e-4
) -> PhotonFrame:
    """Return a frame with photons of about one energy."""
    photons = PhotonList(
        rng.uniform(1, 4000, count).astype(np.float32),
        rng.uniform(1, 4000, count).astype(np.float32),
        rng.normal(energy, 30, count).round().astype(np.float32),
    )
    return PhotonFrame(photons, density, skipped=False)


def skipped_frame(density: float = 0.5) -> PhotonFrame:
    return PhotonFrame(PhotonList(*(np.empty(0, np.float32),) * 3), density, skipped=True)


def read_columns(path: Path | str) -> dict[str, np.ndarray]:
    """Read a photon file as any program would, as far as its shortest column goes."""
    with h5py.File(path) as file:
        columns = {
            name: file[f"entry/photons/{name}"][()] for name in ("frame", "y", "x", "energy")
        }
    shortest = min(len(column) for column in columns.values())
    return {name: column[:shortest] for name, column in columns.items()}
