"""The file of a calibration: offset, noise and bad pixels as NeXus."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from pipeline.files.atomic import FileError, Write, write_new, write_numbered
from pipeline.files.nexus import add_data, add_entry, add_group, add_image, add_process, now_text
from pipeline.photons.calibration import Calibration, CalibrationError

_GROUP = "calibration"


def write_calibration(path: Path, calibration: Calibration, sources: Sequence[str] = ()) -> None:
    """Write a calibration to a new file.

    Args:
        path: of the file; its folder must exist.
        calibration: what is written.
        sources: files that the dark frames are from.

    Raises:
        FileError: it cannot be written, or something has this name already.
    """
    write_new(path, calibration_content(calibration, sources))


def write_numbered_calibration(path: Path, calibration: Calibration) -> Path:
    """Write a calibration under a name of which there may be one already; return its path.

    Args:
        path: of the file; a number is appended where something has this name.
        calibration: what is written.

    Raises:
        FileError: it cannot be written.
    """
    return write_numbered(path, calibration_content(calibration))


def calibration_content(calibration: Calibration, sources: Sequence[str] = ()) -> Write:
    """Return what writes a calibration to the path that it is given.

    Args:
        calibration: what is written.
        sources: files that the frames are from.
    """

    def write(part: Path) -> None:
        with h5py.File(part, "x") as file:
            entry = add_entry(file, _GROUP)
            add_process(entry, now_text())
            group = add_group(entry, _GROUP, "NXdata", signal="offset", auxiliary_signals=["noise"])
            add_image(group, "offset", calibration.offset, "ADU")
            add_image(group, "noise", calibration.noise, "ADU")
            add_image(group, "bad", calibration.bad.astype(np.uint8), meaning="1: not to be used")
            add_data(group, "frames", calibration.frames)
            add_data(group, "sources", list(sources) or [""])

    return write


def read_calibration(path: Path) -> Calibration:
    """Read the file of a calibration.

    Raises:
        FileError: there is no such file, or it cannot be read.
        CalibrationError: it is no calibration.
    """
    if not path.is_file():
        raise FileError(f"{path}: there is no such file.")
    try:
        with h5py.File(path, "r") as file:
            group = file[f"entry/{_GROUP}"]
            assert isinstance(group, h5py.Group)
            offset, noise, bad = (np.asarray(group[name]) for name in ("offset", "noise", "bad"))
            frames = int(np.asarray(group["frames"]))
    except (KeyError, AssertionError) as error:
        raise CalibrationError(
            f"{path} is no calibration; make one with: femtotango calibrate DARK --output FILE"
        ) from error
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error}.") from error
    if not offset.shape == noise.shape == bad.shape or offset.ndim != 2:
        raise CalibrationError(
            f"{path}: offset {offset.shape}, noise {noise.shape} and bad {bad.shape} do not match."
        )
    return Calibration(offset, noise, bad.astype(bool), frames)
