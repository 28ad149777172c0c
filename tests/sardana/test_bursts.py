"""The beamline's burst scans, wrong numbers of frames and missed triggers, in a real Sardana."""

import numpy as np
import pytest
from support.beamline import BURST, Beamline
from support.sardana_server import MacroError
from support.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def fresh(fresh_pilatus: None) -> None:
    """Begin with a new sum of the Pilatus and two regions."""


def test_burstscan_is_understood(beamline: Beamline):
    door = beamline.door
    output = door.run("burstscan dummy_mot_01 0.0 0.1 2 5")
    understood = [line for line in output.splitlines() if line.startswith("Live analysis")]
    assert understood == [
        "Live analysis of burstscan: pilatus, 3 points x 5 frames (integ_time -5), with records."
    ]
    assert door.text("Warning") == ""
    door.run("femto_wait")
    assert beamline.read("FramesPerPoint") == 5
    assert beamline.read("FrameCount") == 3 * 5
    assert beamline.read("XAxis").tolist() == pytest.approx([0.0, 0.05, 0.1])
    np.testing.assert_allclose(beamline.recorded("roi1"), beamline.curve("wide"), rtol=1e-9)


def test_macro_with_hooks_of_its_own_is_not_prepared_and_says_so_once(beamline: Beamline):
    door = beamline.door
    number = beamline.read("ScanNumber")
    door.run("hooked_burstscan dummy_mot_01 0.0 0.1 1 1")
    warnings = [line for line in door.text("Warning").splitlines() if "not prepared" in line]
    assert len(warnings) == 1
    assert "appendHook" in warnings[0]
    assert beamline.read("ScanNumber") == number
    assert np.all(np.isnan(beamline.recorded("roi1")))


def test_more_frames_than_requested_are_shouted_and_shift_no_step(beamline: Beamline):
    door = beamline.door
    door.run("ascan dummy_mot_01 1 2 4 0.02")
    door.run("femto_wait")
    true = beamline.curve("wide")
    door.run("senv FemtomaxBurst 1")
    try:
        output = door.run("ascan dummy_mot_01 1 2 4 0.02")
        warnings = door.text("Warning")
    finally:
        door.run(f"senv FemtomaxBurst {BURST}")
    assert "x 1 frame," in output
    assert warnings.count("MORE FRAMES THAN REQUESTED") == 1
    door.run("femto_wait 0 60")
    assert beamline.read("XAxis").tolist() == [1.0, 1.25, 1.5, 1.75, 2.0]
    # One frame of two has other noise, but the peak is far higher than that.
    for values in (beamline.recorded("roi1"), beamline.curve("wide")):
        told = ~np.isnan(values)
        assert told.sum() <= 1
        np.testing.assert_allclose(values[told], true[told], rtol=0.05)
        nearest = [int(np.abs(true - value).argmin()) for value in values[told]]
        assert nearest == np.flatnonzero(told).tolist()


@pytest.mark.parametrize("action", ["off", "on"])
def test_live_analysis_can_be_switched(beamline: Beamline, action: str):
    door = beamline.door
    number = beamline.read("ScanNumber")
    door.run(f"femto_live {action}")
    try:
        door.run("ascan dummy_mot_01 0 1 1 0.02")
        assert beamline.read("ScanNumber") == number + (action == "on")
        assert np.isnan(beamline.recorded("roi1")).tolist() == [action == "off"] * 2
    finally:
        door.run("femto_live on")


def test_other_camera_than_that_of_the_group_is_not_waited_for(beamline: Beamline):
    door = beamline.door
    door.run("senv FemtomaxStreams balor")
    try:
        door.run("ascan dummy_mot_01 0 1 1 0.02")
        assert "the measurement group has pilatus" in door.text("Warning")
        assert np.all(np.isnan(beamline.recorded("roi1")))
        door.run("senv FemtomaxStrict True")
        with pytest.raises(MacroError, match="the measurement group has pilatus"):
            door.run("ascan dummy_mot_01 0 1 1 0.02")
    finally:
        door.run("senv FemtomaxStrict False")
        door.run("usenv FemtomaxStreams")


def test_table_shows_names_of_regions_and_no_free_slots(beamline: Beamline):
    output = beamline.door.run("ascan dummy_mot_01 0 1 1 0.02")
    (header,) = [line for line in output.splitlines() if "#Pt No" in line]
    columns = header.split()
    assert "wide" in columns
    assert "narrow" in columns
    assert not [column for column in columns if column.startswith("roi")]
    # The file keeps the channels' own names.
    assert np.all(np.isfinite(beamline.recorded("roi2")))
    assert np.all(np.isnan(beamline.recorded("roi8")))


def test_status_speaks_of_this_scan_by_the_number_of_sardana(beamline: Beamline):
    door = beamline.door
    door.run("ascan dummy_mot_01 0 1 1 0.02")
    door.run("femto_wait")
    serial = door.run("genv ScanID").split("=")[-1].strip()
    status = door.run("femto_status")
    assert f"Scan {serial} is finished" in status
    assert "FailedFrames 0, LastError - (of this scan)" in status


def test_wait_ends_at_a_standstill_and_reports_progress(beamline: Beamline):
    door = beamline.door
    door.run("femto_prepare 3 7")
    with pytest.raises(MacroError, match="No progress for 3 s"):
        door.run("femto_wait 0 0 3")
    assert "no progress for" in door.text("Output")


def test_no_value_is_set_when_one_is_wrong(beamline: Beamline):
    door = beamline.door
    door.run("femto_geometry distance 0.131 PhotonEnergy 13.5")
    with pytest.raises(MacroError, match=r"photon_energy = 12000.0: expected 0 ... 1000 keV"):
        door.run("femto_geometry distance 150 photon_energy 12000")
    assert beamline.read("Distance") == 0.131


def test_region_that_is_there_already_or_outside_is_told(beamline: Beamline):
    door = beamline.door
    door.run("ascan dummy_mot_01 0 1 1 0.02")
    door.run("femto_wait")
    output = door.run("femto_roi add wide 300 400 300 100 pilatus")
    assert "wide was there already" in door.text("Warning")
    # The newest mean is of the region before.
    assert "mean" not in output
    door.run("femto_roi add away 5000 400 30 30 pilatus")
    assert "outside of the image of 1475 x 831 pixels" in door.text("Warning")
    door.run("femto_roi add edge 1470 400 30 30 pilatus")
    assert "partly outside" in door.text("Warning")


def test_missed_triggers_shift_no_point(beamline: Beamline):
    door = beamline.door
    door.run("ascanct dummy_mot_01 1 2 9 0.02 0.05")
    taken = ~np.isnan(beamline.recorded("pilatus_simulator"))
    if not taken.all():
        missed = f"missed {np.sum(~taken)} of 10 triggers"
        assert missed in door.text("Warning")
    positions = beamline.recorded("dummy_mot_01")[taken]
    wait_for(lambda: len(beamline.read("XAxis")) == len(positions), "all points")
    np.testing.assert_allclose(beamline.read("XAxis"), positions)
    assert np.all(np.isfinite(beamline.curve("wide")))
