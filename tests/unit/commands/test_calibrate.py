"""`femtotango calibrate` on files as the beamline's receiver writes them."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from support import post
from support.faint import faint_camera

from femtotango.commands.calibrate import calibrate
from femtotango.stack.errors import CommandError
from pipeline.files.atomic import FileError
from pipeline.photons.calibration import CalibrationError
from pipeline.photons.calibration_file import read_calibration
from pipeline.postprocessing.raw_file import read_series


def dark_file(path: Path, frames: int, camera: str = post.ZYLA, size: int = 48) -> Path:
    rng = np.random.default_rng(51)
    source = faint_camera(rng, size, 2.0)
    return post.raw_file(path, camera, [source.frame(rng) for _ in range(frames)])


def test_files_give_a_calibration(tmp_path: Path) -> None:
    dark = [dark_file(tmp_path / f"dark-{i}.h5", 30) for i in range(2)]
    # A later series in the same file counts too; a damaged frame does not.
    dark_file(dark[1], 10)
    piece = read_series(dark[0])[0].frames[3].pieces[0]
    with dark[0].open("rb+") as file:
        file.seek(piece.offset)
        file.write(bytes(12))
    console = Console(record=True, width=100)
    calibrate(dark, tmp_path / "zyla.h5", "", "", console)
    found = read_calibration(tmp_path / "zyla.h5")
    assert found.frames == 69
    assert found.shape == (48, 48)
    assert found.median_noise == pytest.approx(2.0, rel=0.1)
    said = console.export_text()
    assert "69 frames of 48 x 48 pixels" in said
    assert "1 frames of" in said and "frame 3 is damaged" in said
    with pytest.raises(CommandError, match="exists already"):
        calibrate(dark, tmp_path / "zyla.h5", "", "", console)


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    console = Console(quiet=True)
    out = tmp_path / "out.h5"
    with pytest.raises(CommandError, match="no such file"):
        calibrate([tmp_path / "none.h5"], out, "", "", console)
    with pytest.raises(CommandError, match="3 frames are too few"):
        calibrate([dark_file(tmp_path / "few.h5", 3)], out, "", "", console)
    two = dark_file(dark_file(tmp_path / "two.h5", 3), 3, post.BALOR)
    with pytest.raises(CommandError, match=r"several cameras, .*--camera"):
        calibrate([two], out, "", "", console)
    with pytest.raises(CommandError, match="3 frames are too few"):
        calibrate([two], out, post.ZYLA, "", console)
    with pytest.raises(CommandError, match="no /entry/nothing"):
        calibrate([two], out, "", "/entry/nothing", console)
    small = dark_file(tmp_path / "s.h5", 3, size=20)
    with pytest.raises(CommandError, match="shape"):
        calibrate([tmp_path / "few.h5", small], out, "", "", console)
    assert not out.exists()
    with pytest.raises(CalibrationError, match="is no calibration"):
        read_calibration(two)
    with pytest.raises(FileError, match="no such file"):
        read_calibration(out)
