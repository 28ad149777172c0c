"""Scans through the door of a real Sardana server, on a real stack, with simulated cameras."""

from contextlib import suppress

import numpy as np
import pytest
import tango
from support.beamline import BURST, Beamline
from support.client_side import closed_port
from support.sardana_server import MacroError
from support.waiting import wait_for

from pipeline.model.parameters import ATTRIBUTES

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def fresh(fresh_pilatus: None) -> None:
    """Begin with a new sum of the Pilatus and two regions."""


def test_two_scans_add_up(beamline: Beamline):
    door = beamline.door
    for _ in range(2):
        door.run("ascan dummy_mot_01 1 2 4 0.02")
    assert "20 frames" in door.run("femto_wait")
    assert beamline.read("FrameCount") == 2 * 5 * BURST
    assert beamline.read("ScanFinished")
    assert "20 frames in the image" in door.run("femto_accum")


def test_recorded_means_are_those_of_the_device(beamline: Beamline):
    beamline.door.run("ascan dummy_mot_01 1 2 4 0.02")
    beamline.door.run("femto_wait")
    motor = beamline.recorded("dummy_mot_01")
    assert motor.tolist() == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert beamline.read("XAxis").tolist() == motor.tolist()
    assert beamline.read("XLabel") == "dummy_mot_01"
    for channel, roi in (("roi1", "wide"), ("roi2", "narrow")):
        values = beamline.recorded(channel)
        assert np.all(np.isfinite(values))
        assert len(set(values)) == 5
        np.testing.assert_allclose(values, beamline.curve(roi), rtol=1e-9)
    assert np.all(np.isnan(beamline.recorded("roi8")))
    beamline.device.write_attribute("RoiStatistic", 1)
    wait_for(lambda: beamline.curve("wide")[0] > 10 * beamline.recorded("roi1")[0], "the sums")
    np.testing.assert_allclose(beamline.recorded("roi1_sum"), beamline.curve("wide"), rtol=1e-9)
    beamline.device.write_attribute("RoiStatistic", 0)
    assert beamline.recorded("energy_histogram").shape == (5, 200)
    assert beamline.recorded("azimuthal_curve").shape == (5, 1000)


def test_curves_may_be_long_and_change_their_length(beamline: Beamline):
    device, door = beamline.device, beamline.door
    position = {"PhotonEnergy": 13.5, "Distance": 0.131, "BeamX": 210.0, "BeamY": 373.0}
    for name, value in position.items():
        device.write_attribute(name, value)
    try:
        for bins in (20_000, 500):
            device.write_attribute("AzimuthalBins", bins)
            device.write_attribute("HistogramBins", bins // 2)
            door.run("ct 0.02")

            def is_there(bins: int = bins) -> bool:
                curve = beamline.read("AzimuthalIntensity")
                return curve is not None and len(curve) == bins and bool(np.isfinite(curve).any())

            wait_for(is_there, device.status)
            door.run("ascan dummy_mot_01 1 2 1 0.02")
            door.run("femto_wait")
            curve = beamline.recorded("azimuthal_curve")
            assert curve.shape == (2, bins)
            # Sardana itself would take 16384 points.
            last = int(np.flatnonzero(np.isfinite(beamline.read("AzimuthalIntensity")))[-1])
            assert last > 0.9 * bins
            assert np.isfinite(curve[-1, last])
            assert beamline.recorded("energy_histogram").shape == (2, bins // 2)
    finally:
        for name in (*position, "AzimuthalBins", "HistogramBins"):
            device.write_attribute(name, ATTRIBUTES[name].default)


@pytest.mark.parametrize("command", ["StopMacro", "AbortMacro"])
def test_next_scan_runs_after_one_that_was_stopped(beamline: Beamline, command: str):
    door = beamline.door
    number = beamline.read("ScanNumber")
    door.start("ascan dummy_mot_01 0 1 50 0.05")
    wait_for(lambda: beamline.read("ScanNumber") > number, "the scan has begun")
    wait_for(lambda: beamline.read("ScanFrames") >= 3 * BURST, "three points")
    door.proxy.command_inout(command)
    door.wait()
    wait_for(lambda: beamline.read("ScanFinished"), "the stopped scan is given up")
    before = beamline.read("FrameCount")
    assert 3 * BURST <= before < 51 * BURST
    door.run("ascan dummy_mot_01 1 2 4 0.02")
    door.run("femto_wait")
    assert beamline.read("FrameCount") == before + 5 * BURST
    np.testing.assert_allclose(beamline.recorded("roi1"), beamline.curve("wide"), rtol=1e-9)


@pytest.mark.parametrize("command", ["StopMacro", "AbortMacro"])
def test_scan_can_be_stopped_while_the_pipeline_is_prepared(beamline: Beamline, command: str):
    door = beamline.door
    door.run("femto_prepare 3 7")
    door.start("ascan dummy_mot_01 0 1 50 0.05")
    wait_for(lambda: "femto_prepare" in door.proxy.status(), "the hook waits")
    door.proxy.command_inout(command)
    door.wait()
    assert beamline.read("ScanFrames") == 0
    door.run("ascan dummy_mot_01 1 2 4 0.02")
    door.run("femto_wait")
    assert beamline.read("FrameCount") == 5 * BURST


@pytest.mark.parametrize(
    ("scan", "points"),
    [
        ("a2scan dummy_mot_01 0 1 dummy_mot_02 5 6 2 0.02", 3),
        ("dscan dummy_mot_01 -1 1 2 0.02", 3),
        ("mesh dummy_mot_01 0 1 1 dummy_mot_02 0 1 2 0.02", 6),
        ("dmesh dummy_mot_01 -1 1 1 dummy_mot_02 -1 1 1 0.02", 4),
    ],
)
def test_kinds_of_scans(beamline: Beamline, scan: str, points: int):
    beamline.door.run(scan)
    beamline.door.run("femto_wait")
    assert beamline.read("FrameCount") == points * BURST
    values = beamline.recorded("roi1")
    assert len(values) == points
    assert len(beamline.read("XAxis")) == points
    np.testing.assert_allclose(values, beamline.curve("wide"), rtol=1e-9)


def test_burst_of_the_hook_and_count_without_scan(beamline: Beamline):
    door = beamline.door
    door.run("ct 0.02")
    door.run("femto_wait")
    assert beamline.read("FrameCount") == BURST
    door.run("ascan dummy_mot_01 0 1 1 0.02")
    door.run("femto_wait")
    assert beamline.read("FrameCount") == 3 * BURST


def test_scan_before_that_hangs_is_given_up(beamline: Beamline):
    door = beamline.door
    door.run("femto_prepare 3 7")
    assert not beamline.read("ScanFinished")
    assert beamline.read("FramesPerPoint") == 3
    # 21 frames, 7 records, start and end
    assert beamline.read("EventsTotal") == 30
    door.run("ascan dummy_mot_01 0 1 1 0.02")
    door.run("femto_wait")
    assert beamline.read("FrameCount") == 2 * BURST


def test_continuous_mode_gives_way_to_a_scan(beamline: Beamline):
    door = beamline.door
    assert "pilatus" in door.run("femto_continuous on")
    assert beamline.device.state() == tango.DevState.RUNNING
    door.run("ascan dummy_mot_01 0 1 1 0.02")
    assert "Continuous mode ends" in door.text("Info")
    assert "given up" not in door.text("Warning")
    door.run("femto_wait")
    assert beamline.read("FrameCount") == 2 * BURST
    assert "andor3_zyla10" in door.run("femto_continuous on zyla10")
    assert "off" in door.run("femto_continuous off")
    wait_for(lambda: beamline.device.state() == tango.DevState.ON, "continuous mode ends")


def test_ctrl_c_while_waiting_gives_the_scan_up(beamline: Beamline):
    door = beamline.door
    door.run("femto_prepare 3 7")
    door.start("femto_wait")

    def stopped() -> bool:
        # In a macro's first instant Sardana ignores it; a person presses Ctrl-C again.
        with suppress(tango.DevFailed):
            door.proxy.command_inout("StopMacro")
        return not door.running

    wait_for(stopped, "the macro ends")
    wait_for(lambda: beamline.read("ScanFinished"), "the scan is given up")


def test_ingester_that_is_away_does_not_break_the_scan(beamline: Beamline):
    door = beamline.door
    address = door.run("genv FemtomaxSardanaUrl").split("=")[-1].strip()
    with closed_port() as nobody:
        door.run(f"senv FemtomaxSardanaUrl {nobody}")
        try:
            door.run("ascan dummy_mot_01 0 1 2 0.02")
            assert door.text("Warning").count("does not take the records") == 1
            assert len(beamline.recorded("dummy_mot_01")) == 3
        finally:
            door.run(f"senv FemtomaxSardanaUrl {address}")
    door.run("ascan dummy_mot_01 0 1 2 0.02")
    door.run("femto_wait")
    np.testing.assert_allclose(beamline.recorded("roi1"), beamline.curve("wide"), rtol=1e-9)


def test_without_records_the_axis_is_the_frame_number(beamline: Beamline):
    door = beamline.door
    door.run("usenv DataRecorder")
    try:
        door.run("ascan dummy_mot_01 0 1 2 0.02")
        door.run("femto_wait")
        assert beamline.read("XAxis").tolist() == list(range(3 * BURST))
        frames = beamline.curve("wide").reshape(3, BURST)
        np.testing.assert_allclose(beamline.recorded("roi1"), frames.mean(axis=1), rtol=1e-9)
    finally:
        door.run("senv DataRecorder FemtomaxRecorder")


def test_raw_data_are_dropped_only_while_a_scan_runs(beamline: Beamline):
    door = beamline.door
    door.run("senv ActiveMntGrp femtomax_balor")
    door.run("femto_photon_roi set 1000 1000 1000 1000")
    with pytest.raises(MacroError) as refusal:
        door.run("femto_saveraw off")
    assert "SaveRaw stays true" in str(refusal.value)
    assert beamline.read("SaveRaw")
    door.run("ascan dummy_mot_01 0 1 2 0.02")
    door.run("femto_wait")
    assert beamline.recorded("photon_count")[-1] > 100
    with pytest.raises(MacroError, match="no prepared or continuous scan"):
        door.run("femto_saveraw off")
    assert "are saved" in door.run("femto_saveraw on")
    assert "no frame was lost" in door.run("femto_acknowledge")
    door.run("femto_photon_roi off")
