"""The tables of a photon file: their columns, types, units and meanings, and rows as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import Settings
from pipeline.protocols.batch import FrameStatus, PhotonList

_PHOTONS = {
    "frame": (np.uint32, "", "frame number in the camera's series"),
    "y": (np.float32, "pixel", "y of the centre of gravity, pixel centres are whole"),
    "x": (np.float32, "pixel", "x of the centre of gravity, pixel centres are whole"),
    "energy": (np.float32, "ADU", "sum of the 3x3 pixels above background"),
    "flags": (
        np.uint8,
        "",
        "1: overlaps another photon, 2: above pileup_threshold, 4: at border",
    ),
}
FIT = {
    "snr": (np.float32, "", "signal-to-noise ratio at the fitted place"),
    "y_error": (np.float32, "pixel", "standard error of y"),
    "x_error": (np.float32, "pixel", "standard error of x"),
    "energy_error": (np.float32, "ADU", "standard error of the energy"),
    "chi_square": (np.float32, "", "of the fit, per degree of freedom"),
}
"""Columns that a list of the matched filter has beside those of any list."""
_FITTED = {
    "y": (np.float32, "pixel", "y of the fitted cloud, pixel centres are whole"),
    "x": (np.float32, "pixel", "x of the fitted cloud, pixel centres are whole"),
    "energy": (np.float32, "ADU", "energy of the fitted cloud"),
    **FIT,
}
FRAMES = {
    "photons": (np.uint32, "", "photons of the frame in this file"),
    "status": (
        np.uint8,
        "",
        ", ".join(
            f"{status.value}: {status.name.lower().replace('_', ' ')}" for status in FrameStatus
        ),
    ),
    "frame": (np.uint32, "", "frame number in the camera's series"),
}
SETTINGS_BYTES = 8192
"""Room for the settings that decide which photons are found, as JSON."""
CHANGES = {
    "settings": (
        np.dtype(f"S{SETTINGS_BYTES}"),
        "",
        "settings that decide which photons are found, JSON",
    ),
    "frame": (np.uint32, "", "first frame of which they hold, until the next row's"),
}


@dataclass(frozen=True)
class FrameRow:
    """What came of one frame."""

    frame: int
    status: FrameStatus
    photons: PhotonList | None = None
    """None: the file has none of this frame."""
    settings: str = ""
    """With which it was searched, as JSON; empty: it was not."""


def photon_table(settings: Settings) -> Mapping[str, tuple[Any, str, str]]:
    """Return the columns of a list that is made with these settings: type, unit and meaning."""
    return _PHOTONS if settings.matched is None else {**_PHOTONS, **_FITTED}


def columns_of(table: dict[str, Any], rows: Sequence[tuple[Any, ...]]) -> dict[str, NDArray[Any]]:
    """Return the columns of a table from its rows."""
    return {
        name: np.array([row[i] for row in rows], dtype)
        for i, (name, (dtype, _, _)) in enumerate(table.items())
    }


def frame_columns(frames: Sequence[FrameRow]) -> dict[str, NDArray[Any]]:
    """Return the columns of `FRAMES` from what came of frames."""
    return columns_of(FRAMES, [(len(f.photons or ()), f.status.value, f.frame) for f in frames])


def photon_columns(
    frames: Sequence[FrameRow], table: Mapping[str, tuple[Any, str, str]]
) -> dict[str, NDArray[Any]]:
    """Return the columns of the photons of frames, as `photon_table` names them."""
    lists = [(frame.frame, frame.photons) for frame in frames if frame.photons is not None]
    columns: dict[str, NDArray[Any]] = {
        name: np.concatenate(
            [np.empty(0, dtype), *(_column(photons, name) for _, photons in lists)], dtype=dtype
        )
        for name, (dtype, _, _) in table.items()
        if name != "frame"
    }
    numbers = np.array([number for number, _ in lists], np.uint32)
    columns["frame"] = np.repeat(numbers, [len(photons) for _, photons in lists])
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of unequal length: {lengths}")
    return columns


def _column(photons: PhotonList, name: str) -> NDArray[Any]:
    if name not in FIT:
        return getattr(photons, name)
    # The method was changed in mid-scan.
    return np.full(len(photons), np.nan) if photons.fit is None else getattr(photons.fit, name)
