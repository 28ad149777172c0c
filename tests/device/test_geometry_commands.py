"""Geometry, files and pixels through the device, on a whole stack."""

import json
import math

import h5py
import numpy as np
import pytest
from support.client_side import refusal
from support.waiting import wait_for

from pipeline.model.parameters import PARAMETERS
from pipeline.simulation.scan import BurstScan

SHAPE = (200, 300)
SET = {
    "PhotonEnergy": 13.5,
    "Distance": 0.131,
    "Tilt": 7.0,
    "Rotation": 30.0,
    "BeamX": 140.0,
    "BeamY": 90.0,
    "AzimuthalBins": 100,
}


@pytest.fixture
def detector(player):
    player.write(Accumulate=True, **SET)
    player.write(GeometryCamera="pilatus")
    scan = BurstScan(steps=1, burst=3)
    image = np.random.default_rng(3).integers(0, 9, SHAPE).astype(np.float32)
    image[:, 50:55] = -1
    player.prepare("pilatus", scan)
    player.play("pilatus", [image] * 3, scan)
    player.wait_finished()
    player.expected = np.where(image < 0, np.nan, 3 * image)
    return player


def ring(device, q):
    return np.array(device.QCurve(q)).reshape(-1, 2)


def test_a_ring_is_drawn_in_pixels(detector):
    points = ring(detector.device, 1.5)
    good = points[~np.isnan(points).any(axis=1)]
    assert len(good) > 20
    assert good.min() >= -0.5
    assert (good <= np.array(SHAPE) - 0.5).all()
    assert len(ring(detector.device, 1e3)) == 0
    assert refusal(detector.device.QCurve, -1.0).reason == "Femtomax_BadRequest"


def test_a_calibrant_fills_q_values(detector):
    detector.device.UseCalibrant("lab6")
    q = detector.device.QValues
    assert q[0] == pytest.approx(2 * math.pi / 4.1569, rel=1e-3)
    assert (np.diff(q) > 0).all()
    written = detector.device.read_attribute("QValues").w_value
    np.testing.assert_array_equal(written, q, "forms would write the old ones back")
    error = refusal(detector.device.UseCalibrant, "LaB7")
    assert error.reason == "Femtomax_BadRequest"
    assert "LaB6" in error.desc
    detector.device.QValues = []


def test_the_curve_belongs_to_the_image_once_the_scan_is_finished(detector):
    device = detector.device
    q, intensity, errors = device.AzimuthalQ, device.AzimuthalIntensity, device.AzimuthalErrors
    assert len(q) == len(intensity) == len(errors) == 100
    assert np.nanmean(intensity) == pytest.approx(12, rel=0.1)


def test_what_is_missing_is_said(player):
    player.write(Distance=0.1)
    wait_for(lambda: "PhotonEnergy is not set" in player.device.status())
    assert "PhotonEnergy is not set" in refusal(player.device.QCurve, 1.0).desc


def test_poni_files_go_out_and_come_back(detector, tmp_path):
    device = detector.device
    path = tmp_path / "detector.poni"
    device.SavePoni(str(path))
    assert "Distance" in path.read_text()
    assert "exists already" in refusal(device.SavePoni, str(path)).desc
    detector.write(**dict.fromkeys(SET, 0))
    device.LoadPoni(str(path))
    for name, value in SET.items():
        if name != "AzimuthalBins":
            assert getattr(device, name) == pytest.approx(value, rel=1e-9), name
    assert refusal(device.LoadPoni, str(tmp_path / "none.poni")).reason == "Femtomax_BadPath"
    wrong = tmp_path / "wrong.poni"
    wrong.write_text("hello")
    assert refusal(device.LoadPoni, str(wrong)).reason == "Femtomax_BadRequest"


def test_the_exact_image_is_saved_with_what_it_is_made_of(detector, tmp_path):
    device = detector.device
    path = tmp_path / "sum.h5"
    device.SaveImage(str(path))
    with h5py.File(path) as file:
        entry = file["entry"]
        np.testing.assert_array_equal(entry["image/image"], detector.expected)
        assert entry["image/image"].dtype == np.float64
        mask = entry["instrument/detector/pixel_mask"][()]
        np.testing.assert_array_equal(mask == 0, ~np.isnan(detector.expected))
        assert len(entry["azimuthal/intensity"]) == 100
        assert "3 frames" in entry["title"].asstr()[()]
        assert entry["instrument/detector/beam_center_x"][()] == 140.0
    assert "exists already" in refusal(device.SaveImage, str(path)).desc


def test_a_saved_curve_has_the_saved_geometry_and_the_settings_are_the_image_s(detector, tmp_path):
    device = detector.device
    device.CmosThreshold = 33.0
    device.Distance = 0.5
    path = tmp_path / "sum.h5"
    device.SaveImage(str(path))
    with h5py.File(path) as file:
        entry = file["entry"]
        q, intensity = entry["azimuthal/q"][()], entry["azimuthal/intensity"][()]
        assert entry["instrument/detector/distance"][()] == 0.5
        assert entry["settings/distance"][()] == 0.5
        assert entry["settings/cmos_threshold"][()] == PARAMETERS["cmos_threshold"].default
    wait_for(lambda: np.array_equal(device.AzimuthalQ, q), lambda: (device.AzimuthalQ, q))
    np.testing.assert_array_equal(device.AzimuthalIntensity, intensity)


@pytest.mark.parametrize("path", ["", "relative.h5", "/no/such/folder/a.h5", "../a.h5"])
def test_paths_that_cannot_be_written_are_refused(detector, path):
    for command in (detector.device.SaveImage, detector.device.SavePoni):
        assert refusal(command, path).reason == "Femtomax_BadPath"


def test_a_changed_distance_moves_the_curve(detector):
    device = detector.device
    before = device.AzimuthalQ[-1]
    detector.write(Distance=0.2)
    wait_for(lambda: device.AzimuthalQ[-1] < before)


def test_settings_stay_json_that_viewers_can_read(detector):
    box = {"x": 1, "y": 2, "width": 3, "height": 4}
    detector.device.AddRoi(json.dumps({"name": "a b", **box}))
    # The camera that is shown.
    assert json.loads(detector.device.Rois) == {"a b": {**box, "camera": "pilatus"}}
