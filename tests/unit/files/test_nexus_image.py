"""Saved images: valid NeXus, exact numbers, everything that is known about them."""

import dataclasses
import json
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
import silx.io
from silx.io.nxdata import get_default
from support.geometries import TILTED
from support.waiting import PATIENCE

from pipeline.diffraction.geometry import from_poni
from pipeline.diffraction.integration import Integrator
from pipeline.files.atomic import FileError
from pipeline.files.nexus import versions
from pipeline.files.nexus_image import ImageRecord, save_image
from pipeline.model.cameras import Unit
from pipeline.model.frame_ranges import FrameRanges
from pipeline.model.parameters import Settings

GEOMETRY = dataclasses.replace(TILTED, shape=(120, 150), beam_x=40.0, beam_y=70.0)
SETTINGS = Settings(photon_energy=13.5, rois='{"é": {"x":1,"y":2,"width":3,"height":4}}')


@pytest.fixture
def record() -> ImageRecord:
    random = np.random.default_rng(2)
    image = random.poisson(20.0, GEOMETRY.shape).astype(np.float64) / 10
    valid = random.random(GEOMETRY.shape) > 0.1
    curve = Integrator().integrate(np.where(valid, image, np.nan), GEOMETRY, 100, Unit.TOT)
    frames = FrameRanges([(0, 12), (15, 29)]), FrameRanges([(0, 2)])
    scans = (("123374", frames[0]), ("123375", frames[1]))
    return ImageRecord(
        image, valid, 31, Unit.TOT, "pilatus", GEOMETRY.pixel_size, scans, SETTINGS, GEOMETRY, curve
    )


def test_the_image_is_the_default_plot_and_the_curve_a_second_one(
    tmp_path: Path, record: ImageRecord
) -> None:
    save_image(tmp_path / "a.h5", record)
    with silx.io.open(str(tmp_path / "a.h5")) as file:
        image = get_default(file)
        assert image.is_valid and image.is_image
        assert image.signal.shape == GEOMETRY.shape
        assert image.group.name == "/entry/image"
        curve = get_default(file["/entry/azimuthal"])
        assert curve.is_valid and curve.is_curve
        np.testing.assert_array_equal(curve.signal[()], record.curve.intensity)
        np.testing.assert_array_equal(curve.errors[()], record.curve.errors)
        np.testing.assert_array_equal(curve.axes[0][()], record.curve.q)
        assert curve.axes[0].attrs["units"] == "1/angstrom"


@pytest.mark.parametrize("dtype", [np.int64, np.uint32, np.float32, np.float64])
def test_the_numbers_are_exact(tmp_path: Path, record: ImageRecord, dtype: type) -> None:
    image = np.arange(np.prod(GEOMETRY.shape)).reshape(GEOMETRY.shape).astype(dtype)
    if dtype is np.int64:
        image += 2**60 + 1
    save_image(tmp_path / "a.h5", dataclasses.replace(record, image=image, valid=None))
    with h5py.File(tmp_path / "a.h5") as file:
        saved = file["entry/image/image"]
        assert saved.dtype == dtype
        np.testing.assert_array_equal(saved[()], image)
        assert saved.attrs["units"] == Unit.TOT
        np.testing.assert_array_equal(file["entry/instrument/detector/data"][()], image)


def test_masked_pixels_are_missing_and_the_mask_is_there(
    tmp_path: Path, record: ImageRecord
) -> None:
    save_image(tmp_path / "a.h5", record)
    counts = dataclasses.replace(record, image=(record.image * 10).astype(np.int64))
    save_image(tmp_path / "b.h5", counts)
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(np.isnan(file["entry/image/image"][()]), ~record.valid)
        mask = file["entry/instrument/detector/pixel_mask"]
        np.testing.assert_array_equal(mask[()], (~record.valid).astype(np.uint32))
    with h5py.File(tmp_path / "b.h5") as file:
        np.testing.assert_array_equal(file["entry/image/image"][()], counts.image)


def test_what_it_is_made_of(tmp_path: Path, record: ImageRecord) -> None:
    now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    save_image(tmp_path / "a.h5", record, now)
    with h5py.File(tmp_path / "a.h5") as file:
        entry = file["entry"]
        frames = entry["frames"]
        assert frames["count"][()] == 31
        assert frames["scan"].asstr()[()].tolist() == ["123374", "123374", "123375"]
        assert frames["first"][()].tolist() == [0, 15, 0]
        assert frames["last"][()].tolist() == [12, 29, 2]
        assert entry["settings/photon_energy"][()] == 13.5
        assert entry["settings/photon_energy"].attrs["units"] == "keV"
        assert "é" in entry["settings/rois"].asstr()[()]
        assert set(entry["settings"]) - {"NX_class"} == set(SETTINGS.values())
        assert entry["process/program"].asstr()[()] == "femtotango"
        programs = json.loads(entry["process/versions"].asstr()[()])
        assert programs == versions() == dict(entry["process/versions"].attrs)
        assert entry["process/version"].asstr()[()] == programs["femtotango"]
        assert {"femtotango", "dranspose", "numpy", "h5py"} <= set(programs)
        assert entry["end_time"].asstr()[()] == "2026-01-31T12:00:00+00:00"
        assert entry["instrument/detector/x_pixel_size"][()] == GEOMETRY.pixel_size[1]
        assert entry["instrument/detector/local_name"].asstr()[()] == "pilatus"
        assert entry["instrument/beam/incident_energy"][()] == 13.5
        poni = from_poni(entry["poni/data"].asstr()[()])
        assert poni.settings["tilt"] == GEOMETRY.tilt
        classes = {entry[name].attrs.get("NX_class") for name in entry if name != "title"}
        assert {"NXdata", "NXinstrument", "NXnote", "NXprocess", "NXcollection"} <= classes


def test_frame_numbers_of_64_bits(tmp_path: Path, record: ImageRecord) -> None:
    largest = 2**64 - 1
    frames = (("1", FrameRanges([(0, 0), (largest - 1, largest)])),)
    save_image(tmp_path / "a.h5", dataclasses.replace(record, frames=frames))
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["entry/frames/first"][()].tolist() == [0, largest - 1]
        assert file["entry/frames/last"][()].tolist() == [0, largest]


def test_without_geometry_there_is_no_curve_and_no_poni(
    tmp_path: Path, record: ImageRecord
) -> None:
    bare = dataclasses.replace(record, geometry=None, curve=None, pixel_size=None, frames=())
    save_image(tmp_path / "a.h5", bare)
    with silx.io.open(str(tmp_path / "a.h5")) as file:
        assert get_default(file).is_image
        assert not {"azimuthal", "poni"} & set(file["entry"])


def test_plain_h5py_opens_it_without_plug_ins(tmp_path: Path, record: ImageRecord) -> None:
    save_image(tmp_path / "a.h5", record)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["entry/image/image"].compression == "gzip"
        assert file["entry/image/image"].shuffle
    code = f"import h5py; print(h5py.File({str(tmp_path / 'a.h5')!r})['entry/image/image'][0, 0])"
    subprocess.run([sys.executable, "-I", "-c", code], check=True, timeout=PATIENCE)


def test_nothing_is_overwritten(tmp_path: Path, record: ImageRecord) -> None:
    path = tmp_path / "a.h5"
    path.write_text("precious")
    with pytest.raises(FileError, match="exists already"):
        save_image(path, record)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fills_up_is_said_and_leaves_nothing(
    tmp_path: Path, record: ImageRecord
) -> None:
    noise = np.random.default_rng(1).random(GEOMETRY.shape)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        with pytest.raises(FileError, match="cannot be written"):
            save_image(tmp_path / "a.h5", dataclasses.replace(record, image=noise))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_gone_is_said(tmp_path: Path, record: ImageRecord) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        save_image(tmp_path / "absent" / "a.h5", record)
