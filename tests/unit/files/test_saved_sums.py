"""Names and neighbours of ended sums."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.geometries import LAB6

from pipeline.diffraction.geometry import from_poni
from pipeline.files.atomic import FileError
from pipeline.files.nexus_image import ImageRecord, save_sum
from pipeline.model.cameras import Unit
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings

GEOMETRY = dataclasses.replace(LAB6, shape=(12, 15))
NOW = datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)
ENDED = ImageRecord(
    image=np.ones((12, 15), np.int64),
    valid=None,
    count=2,
    unit=Unit.COUNTS,
    detector="andor3_balor",
    pixel_size=(12e-6, 12e-6),
    frames=tuple((scan, FrameRanges([(0, 3)])) for scan in ("17", "18", "19")),
    settings=Settings(),
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_name_says_detector_time_and_scans(tmp_path: Path) -> None:
    stem = f"andor3_balor_{NOW.astimezone():%Y%m%d-%H%M%S}"
    path = save_sum(str(tmp_path), ENDED, NOW)
    assert path == tmp_path / f"{stem}_scan17-19.h5"
    one = dataclasses.replace(ENDED, frames=(("17", FrameRanges([(0, 0), (2, 3)])),))
    assert save_sum(str(tmp_path), one, NOW).name == f"{stem}_scan17.h5"
    label = "../ä b/" + "c" * 300
    odd = dataclasses.replace(ENDED, frames=((label, FrameRanges([(0, 0)])),))
    assert save_sum(str(tmp_path), odd, NOW).parent == tmp_path
    assert save_sum(str(tmp_path), dataclasses.replace(ENDED, frames=()), NOW).is_file()


def test_a_second_sum_of_the_same_second_gets_a_number(tmp_path: Path) -> None:
    paths = [save_sum(str(tmp_path), dataclasses.replace(ENDED, count=n), NOW) for n in (2, 3, 4)]
    assert [path.stem.removeprefix(paths[0].stem) for path in paths] == ["", "_1", "_2"]
    for count, path in enumerate(paths, start=2):
        with h5py.File(path) as file:
            assert file["entry/frames/count"][()] == count


def test_the_poni_file_lies_beside_when_the_geometry_is_set(tmp_path: Path) -> None:
    save_sum(str(tmp_path), ENDED, NOW)
    assert [Path(name).suffix for name in names(tmp_path)] == [".h5"]
    path = save_sum(str(tmp_path), dataclasses.replace(ENDED, geometry=GEOMETRY), NOW)
    assert from_poni(path.with_suffix(".poni")).settings["distance"] == GEOMETRY.distance


def test_a_poni_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    with_geometry = dataclasses.replace(ENDED, geometry=GEOMETRY)
    first = save_sum(str(tmp_path), with_geometry, NOW)
    first.unlink()
    first.with_suffix(".poni").write_text("mine")
    second = save_sum(str(tmp_path), with_geometry, NOW)
    assert second.stem == f"{first.stem}_1"
    assert names(tmp_path) == [first.with_suffix(".poni").name, second.name, f"{second.stem}.poni"]
    assert first.with_suffix(".poni").read_text() == "mine"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        save_sum(str(tmp_path / "absent"), ENDED, NOW)
