"""Statistics of ROIs and the fit, as clients of the device see them, on a whole stack."""

import json

import numpy as np
import pytest
import tango
from support.waiting import wait_for

from pipeline.simulation.scan import BurstScan

STEPS, BURST = 15, 4
CENTRE = 4.2
CAMERA = "andor3_zyla10"
ROI = json.dumps({"name": "spot", "camera": CAMERA, "x": 4, "y": 2, "width": 36, "height": 28})
"""Else it would be of the camera that the test before has left on show."""

_LATER = {"x": 4, "y": 2, "width": 5, "height": 10}


def spots(scan: BurstScan) -> list[np.ndarray]:
    """Return frames of a spot that moves and changes with the motor."""
    rng = np.random.default_rng(81)
    y, x = np.indices((32, 48))
    frames = []
    for step in range(STEPS):
        for _ in range(BURST):
            position = scan.positions[step]
            height = 3000 * np.exp(-(((position - CENTRE) / 1.2) ** 2) / 2)
            light = height * np.exp(-((x - 16 - position) ** 2 + (y - 15.4) ** 2) / 2 / 1.8**2)
            noise = rng.normal(0, 3, x.shape)
            frames.append(np.rint(120 + light + noise).astype(np.uint16))
    return frames


@pytest.fixture
def scanned(player):
    device = player.device
    device.AddRoi(ROI)
    player.write(FitRoi="spot")
    device.FitModel = "gaussian"
    scan = BurstScan(steps=STEPS, burst=BURST, first=1.0, last=8.0)
    player.prepare(CAMERA, scan)
    player.play(CAMERA, spots(scan), scan)
    player.wait_finished()
    yield device
    player.write(FitRoi="", FitModel=0, RoiStatistic=0)


def test_the_fit_is_there_when_the_scan_is_finished(scanned) -> None:
    assert scanned.FitStatus.startswith(f"gaussian, {STEPS} points")
    assert abs(scanned.FitCentre - CENTRE) < 4 * scanned.FitCentreError
    assert scanned.FitCentre == pytest.approx(CENTRE, abs=0.05)
    assert scanned.FitFwhm == pytest.approx(1.2 * 2.3548, rel=0.05)
    assert scanned.FitHeight > 10 * scanned.FitHeightError > 0
    assert scanned.FitFwhmError > 0 and scanned.FitOffsetError > 0
    assert len(scanned.FitCurve) == len(scanned.XAxis) == STEPS
    np.testing.assert_allclose(
        scanned.FitCurve, scanned.RoiMeanCurves[0], atol=0.1 * scanned.FitHeight
    )
    scanned.FitModel = "step"
    wait_for(lambda: np.isnan(scanned.FitCentre) and "no fit" in scanned.FitStatus)
    scanned.FitRoi = "none such"
    wait_for(lambda: "there is no ROI 'none such'" in scanned.FitStatus)


def test_slots_show_place_and_sum_whatever_is_chosen(scanned) -> None:
    assert np.isfinite([scanned.Roi1Sum]).all()
    assert scanned.Roi1Sum == pytest.approx(scanned.Roi1Mean * 36 * 28)
    assert np.isnan([scanned.Roi2X, scanned.Roi2Y, scanned.Roi2Sum]).all()
    scanned.RoiStatistic = "x"
    wait_for(lambda: 15 < scanned.RoiMeanCurves[0][4] < 25)
    curve, x = scanned.RoiMeanCurves[0], scanned.XAxis
    strong = np.abs(x - CENTRE) < 2
    np.testing.assert_allclose(curve[strong], 16 + x[strong], atol=0.05)
    np.testing.assert_allclose(scanned.RoiMeans, [scanned.Roi1X])
    np.testing.assert_array_equal(scanned.Roi1Curve, curve)


def test_rois_are_measured_in_the_image_too(scanned) -> None:
    scanned.AddRoi(json.dumps({"name": "later", "camera": CAMERA, **_LATER}))
    for camera in ("", CAMERA):
        found = json.loads(scanned.GetRoiStatistics(camera))
        assert (found["camera"], found["unit"], found["frames"]) == (CAMERA, "ADU", 1)
        image = scanned.AccumulatedImage[2:12, 4:9]
        later = found["rois"]["later"]
        assert (later["sum"], later["max"], later["pixels"]) == (image.sum(), image.max(), 50)
        assert set(found["rois"]) == {"spot", "later"}
    with pytest.raises(tango.DevFailed, match="eiger"):
        scanned.GetRoiStatistics("eiger")
    totals, weights = scanned.RoiTotals, scanned.RoiWeights
    assert totals.shape == weights.shape == (2, 7)
    assert weights[0, 0] == STEPS * BURST
    assert totals[0, 0] == pytest.approx(np.sum(scanned.RoiMeanCurves[0]) * BURST)
    assert not weights[1].any()
    np.testing.assert_array_equal(scanned.RoiStatistics[0, 0], scanned.Roi1Mean)


def test_choices_are_enumerations(scanned) -> None:
    labels = list(scanned.get_attribute_config("RoiStatistic").enum_labels)
    assert labels[:5] == ["mean", "sum", "max", "x", "y"]
    assert list(scanned.get_attribute_config("FitModel").enum_labels) == [
        "none",
        "gaussian",
        "lorentzian",
        "pseudo-voigt",
        "step",
    ]
    scanned.write_attribute("RoiStatistic", labels.index("sum"))
    reading = scanned.read_attribute("RoiStatistic")
    assert (reading.value, reading.w_value) == (1, 1)
    with pytest.raises(tango.DevFailed):
        scanned.write_attribute("RoiStatistic", 99)
    assert scanned.read_attribute("RoiStatistic").value == 1


def test_a_comparison_with_what_is_not_there_is_refused(player) -> None:
    device = player.device
    place = {"x": 1, "y": 1, "width": 4, "height": 4}
    with pytest.raises(tango.DevFailed, match="no such ROI"):
        device.AddRoi(json.dumps({"name": "a", **place, "minus": "b"}))
    device.AddRoi(json.dumps({"name": "b", **place}))
    device.AddRoi(json.dumps({"name": "a", **place, "minus": "b"}))
    with pytest.raises(tango.DevFailed, match="no such ROI"):
        device.RemoveRoi("b")
    assert device.RoiNames == ("b", "a")
