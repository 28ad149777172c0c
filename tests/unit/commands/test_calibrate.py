"""`femtotango calibrate` on files as the beamline's receiver writes them."""

from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from rich.console import Console
from support.faint import faint_camera

from femtotango.commands.calibrate import calibrate
from femtotango.stack.errors import CommandError
from pipeline.files.atomic import FileError
from pipeline.photons.calibration import CalibrationError
from pipeline.photons.calibration_file import read_calibration


def dark_file(path: Path, frames: int, camera: str = "zyla", size: int = 48) -> Path:
    rng = np.random.default_rng(51)
    source = faint_camera(rng, size, 2.0)
    with h5py.File(path, "a") as file:
        file.create_dataset(
            f"entry/instrument/{camera}/data",
            data=np.stack([source.frame(rng) for _ in range(frames)]),
            chunks=(1, size, size),
            **hdf5plugin.Bitshuffle(),
        )
    return path


def test_files_give_a_calibration(tmp_path: Path) -> None:
    dark = [dark_file(tmp_path / f"dark-{i}.h5", 30) for i in range(2)]
    console = Console(record=True, width=100)
    calibrate(dark, tmp_path / "zyla.h5", "", console)
    found = read_calibration(tmp_path / "zyla.h5")
    assert found.frames == 60
    assert found.shape == (48, 48)
    assert found.median_noise == pytest.approx(2.0, rel=0.1)
    assert "60 frames of 48 x 48 pixels" in console.export_text()
    with pytest.raises(CommandError, match="exists already"):
        calibrate(dark, tmp_path / "zyla.h5", "", console)


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    console = Console(quiet=True)
    out = tmp_path / "out.h5"
    with pytest.raises(CommandError, match="cannot be read"):
        calibrate([tmp_path / "none.h5"], out, "", console)
    with pytest.raises(CommandError, match="3 frames are too few"):
        calibrate([dark_file(tmp_path / "few.h5", 3)], out, "", console)
    two = dark_file(dark_file(tmp_path / "two.h5", 3), 3, "balor")
    with pytest.raises(CommandError, match="several cameras"):
        calibrate([two], out, "", console)
    with pytest.raises(CommandError, match="no frames at /entry/nothing"):
        calibrate([two], out, "/entry/nothing", console)
    with pytest.raises(CommandError, match="shape"):
        calibrate([tmp_path / "few.h5", dark_file(tmp_path / "s.h5", 3, size=20)], out, "", console)
    assert not out.exists()
    with pytest.raises(CalibrationError, match="is no calibration"):
        read_calibration(two)
    with pytest.raises(FileError, match="no such file"):
        read_calibration(out)
