"""Photons and settings for tests."""

from pathlib import Path

import h5py
import numpy as np

from pipeline.model.parameters import Settings
from pipeline.photons.scan_photons import PhotonScan
from pipeline.protocols.batch import PhotonFrame, PhotonList, StartInfo
from pipeline.protocols.tree import leaves

PHOTON_SETTINGS = Settings().replaced(
    "photon_roi", '{"x": 0, "y": 0, "width": 4128, "height": 4104}'
)

NO_PHOTONS = PhotonList(*(np.empty(0, np.float32),) * 3, np.empty(0, np.uint8))


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
        np.full(count, 2 * (energy > PHOTON_SETTINGS.pileup_threshold), np.uint8),
    )
    return PhotonFrame(photons, density, skipped=False)


def skipped_frame(density: float = 0.5) -> PhotonFrame:
    return PhotonFrame(NO_PHOTONS, density, skipped=True)


def read_columns(path: Path | str) -> dict[str, np.ndarray]:
    """Read a photon file as any program would, as far as its shortest column goes."""
    with h5py.File(path) as file:
        columns = {name: column[()] for name, column in file["entry/photons"].items()}
    shortest = min(len(column) for column in columns.values())
    return {name: column[:shortest] for name, column in columns.items()}


def read_frames(path: Path | str) -> list[tuple[int, int, int]]:
    """Return frame, status and number of photons of each row of the frames' table."""
    with h5py.File(path) as file:
        table = file["entry/frames"]
        columns = (table[name][()].tolist() for name in ("frame", "status", "photons"))
        return list(zip(*columns, strict=False))


def state(scan: PhotonScan) -> dict:
    """Return what is published of the photons."""
    return leaves(scan.publish()[0])


def flush(scan: PhotonScan) -> None:
    """Bring all that came to disk."""
    scan.flush()
    assert scan.wait(30)


def close(scan: PhotonScan, ended: bool) -> None:
    """Close the file, and wait until it is."""
    scan.close(ended)
    assert scan.wait(30)
    assert scan.settled
