"""Masks from the files of other programs."""

from pathlib import Path

import fabio.edfimage
import h5py
import numpy as np
import pytest

from pipeline.files.atomic import FileError
from pipeline.files.mask_file import read_mask

MASK = np.zeros((5, 7), bool)
MASK[1, 2] = MASK[4] = True


def test_formats(tmp_path: Path) -> None:
    numbers = MASK.astype(np.uint8) * 3
    np.save(tmp_path / "a.npy", numbers)
    fabio.edfimage.edfimage(data=numbers).write(str(tmp_path / "a.edf"))
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["entry/data/bad"] = MASK[None]
        file["entry/title"] = "a mask"
    with h5py.File(tmp_path / "saved.h5", "w") as file:
        file["entry/image"] = np.ones((5, 7))
        file["entry/detector/pixel_mask"] = numbers
    for name in ("a.npy", "a.edf", "one.h5", "saved.h5", "saved.h5::entry/detector/pixel_mask"):
        np.testing.assert_array_equal(read_mask(tmp_path / name), MASK, err_msg=name)


def test_no_number_is_bad(tmp_path: Path) -> None:
    image = np.zeros((2, 2), np.float32)
    image[0, 1] = np.nan
    np.save(tmp_path / "a.npy", image)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.npy"), [[False, True], [False, False]])


def test_what_cannot_be_a_mask_is_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["a"] = file["b"] = np.zeros((2, 2))
    with h5py.File(tmp_path / "series.h5", "w") as file:
        file["mask"] = np.zeros((2, 3, 3))
    (tmp_path / "text.edf").write_text("no image")
    for name, why in (
        ("two.h5", "not clear which"),
        ("two.h5::c", "no dataset 'c'"),
        ("series.h5", "no mask"),
        ("text.edf", "cannot be read as a mask"),
        ("none.h5", "no such file"),
    ):
        with pytest.raises(FileError, match=why):
            read_mask(tmp_path / name)
