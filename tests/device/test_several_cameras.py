"""Scans of several cameras through the device, on a whole stack."""

import io
import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
import tango
from support.client_side import refusal, wait_settled
from support.repeats import repeats
from support.waiting import wait_for

from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.trigger_maps import scan_map
from pipeline.simulation.scan import BurstScan

PILATUS, ZYLA = "pilatus", "andor3_zyla12"
SCAN = BurstScan(steps=2, burst=3)
SHAPES = {PILATUS: (20, 30), ZYLA: (24, 16)}
KINDS = {PILATUS: np.float32, ZYLA: np.uint16}
DARK = {PILATUS: 0, ZYLA: 100}


def images(stream, count=6):
    return [
        np.full(SHAPES[stream], DARK[stream] + 20 * (number + 1), KINDS[stream])
        for number in range(count)
    ]


def total(stream, numbers=range(6)):
    return sum(images(stream)[n].astype(np.float64) - DARK[stream] for n in numbers)


def of(player, name, stream):
    return player.read(f"{name}_{stream}")


@pytest.fixture
def summing(player):
    player.write(Accumulate=True)
    return player


def play(player, scan=SCAN, **more):
    player.play_together({PILATUS: images(PILATUS), ZYLA: images(ZYLA)}, scan, **more)


@pytest.mark.parametrize("records", [True, False])
def test_each_camera_has_its_own_exact_sum(summing, records):
    player = summing
    player.prepare((ZYLA, PILATUS), SCAN, records=records)
    assert player.read("Cameras") == (PILATUS, ZYLA)
    assert not player.read("ScanFinished")
    play(player, records=records)
    player.wait_finished()
    assert player.read("ScanFrames") == 12
    assert player.read("CameraFrames").tolist() == [6, 6]
    assert player.read("FramesPerPoint") == 3
    assert player.read("EventsProcessed") == player.read("EventsTotal")
    for stream in (PILATUS, ZYLA):
        assert of(player, "FrameCount", stream) == 6
        np.testing.assert_array_equal(of(player, "AccumulatedImage", stream), total(stream))
        assert of(player, "ImageSum", stream) == total(stream).sum()
        assert of(player, "ImageMax", stream) == total(stream).max()
        assert of(player, "PreviewImage", stream).shape == SHAPES[stream]
    # Of these two the Pilatus stands for the scan.
    assert player.read("Detector") == PILATUS
    np.testing.assert_array_equal(player.read("AccumulatedImage"), total(PILATUS))


WRITES = (
    {"HistogramBins": 300, "MaxFilter": True},
    {"QValues": [0.5, 1.5], "XSource": "dummy_mot_01", "Camera": ZYLA},
    {"ViewThreshold": 1200.0, "AzimuthalBins": 700, "Camera": ""},
    {"HistogramBins": 200, "MaxFilter": False, "XSource": ""},
)
"""Settings that change no frame."""
SCANS = repeats(4, 20)
ABORTED, SENT = 2, 4
"""The scan that is aborted, and after so many frames of each camera."""


def test_scans_with_settings_written_meanwhile_and_one_that_is_aborted(summing):
    player, over = summing, threading.Event()

    def write() -> None:
        client = tango.DeviceProxy(player.info["device"])
        for values in itertools.cycle(WRITES):
            for name, value in values.items():
                client.write_attribute(name, value)
            if over.wait(0.1):
                return

    failed = player.read("FailedFrames")
    sums = {stream: np.zeros(SHAPES[stream]) for stream in SHAPES}
    counts = dict.fromkeys(SHAPES, 0)
    with ThreadPoolExecutor() as executor:
        writing = executor.submit(write)
        try:
            for scan in range(SCANS):
                # What is written before PrepareScan is in force for each frame.
                dark = DARK[ZYLA] - 10 * (scan % 3)
                player.write(Background=float(dark))
                player.prepare((PILATUS, ZYLA), SCAN)
                play(player, only=dict.fromkeys(SHAPES, SENT) if scan == ABORTED else None)
                if scan == ABORTED:
                    player.wait_until("CameraFrames", lambda counts: list(counts) == [SENT, SENT])
                    player.device.StopScan()
                player.wait_finished()
                for stream, more in ((PILATUS, 0), (ZYLA, DARK[ZYLA] - dark)):
                    frames = SENT if scan == ABORTED else 6
                    counts[stream] += frames
                    sums[stream] += total(stream, range(frames)) + more * frames
        finally:
            over.set()
        writing.result()
    for stream in SHAPES:
        assert of(player, "FrameCount", stream) == counts[stream]
        np.testing.assert_array_equal(of(player, "AccumulatedImage", stream), sums[stream])
        assert of(player, "ImageSum", stream) == sums[stream].sum()
    assert player.read("FailedFrames") == failed + 2 * (6 - SENT)


def test_camera_chooses_what_the_plain_attributes_show(summing):
    player = summing
    player.prepare((PILATUS, ZYLA), SCAN)
    play(player)
    player.wait_finished()
    player.write(Camera=ZYLA)
    player.wait_until("Detector", lambda detector: detector == ZYLA)
    assert player.read("ImageWidth") == SHAPES[ZYLA][1]
    np.testing.assert_array_equal(player.read("AccumulatedImage"), total(ZYLA))
    assert of(player, "FrameCount", PILATUS) == 6
    error = refusal(player.device.write_attribute, "Camera", "eiger")
    assert error.reason == "Femtomax_BadValue"
    assert player.read("Camera") == ZYLA
    player.write(Camera="")
    player.wait_until("Detector", lambda detector: detector == PILATUS)


def test_a_region_of_each_camera(summing):
    player = summing
    player.prepare((PILATUS, ZYLA), SCAN)
    play(player)
    player.wait_finished()
    for stream in (PILATUS, ZYLA):
        request = {"camera": stream, "x": 2, "y": 3, "width": 8, "height": 4, "binning": 2}
        _, data = player.device.GetCameraRegion(json.dumps(request))
        region = np.load(io.BytesIO(bytes(data)))
        assert region.shape == (2, 4)
        np.testing.assert_array_equal(region, total(stream)[:2, :4])
    error = refusal(player.device.GetCameraRegion, '{"camera": "andor3_balor"}')
    assert error.reason == "Femtomax_NoImage"
    assert "no image of andor3_balor" in error.desc


def test_rois_are_of_the_camera_that_is_shown_or_named(summing):
    player = summing
    player.prepare((PILATUS, ZYLA), SCAN)
    play(player)
    player.wait_finished()
    box = {"x": 1, "y": 1, "width": 4, "height": 4}
    player.device.AddRoi(json.dumps({"name": "shown", **box}))
    player.device.AddRoi(json.dumps({"name": "named", **box, "camera": ZYLA}))
    rois = json.loads(player.read("Rois"))
    assert (rois["shown"]["camera"], rois["named"]["camera"]) == (PILATUS, ZYLA)
    player.prepare((PILATUS, ZYLA), SCAN)
    play(player)
    player.wait_finished()
    assert player.read("RoiNames") == ("shown", "named")
    np.testing.assert_array_equal(player.read("XAxis"), [1.0, 2.0])
    # Both see 20, 40, … 120 above their dark levels.
    np.testing.assert_allclose(player.read("RoiMeanCurves"), [[40, 100], [40, 100]])


def test_what_one_camera_loses_costs_the_other_nothing(summing):
    player = summing
    failed = player.read("FailedFrames")
    player.prepare((PILATUS, ZYLA), SCAN)
    play(player, only={ZYLA: 2})
    player.wait_until("CameraFrames", lambda counts: counts.tolist() == [6, 2])
    assert of(player, "FrameCount", PILATUS) == 6
    np.testing.assert_array_equal(of(player, "AccumulatedImage", PILATUS), total(PILATUS))
    player.device.StopScan()
    player.wait_finished()
    assert player.read("FailedFrames") == failed + 4
    assert "4 of 6 frames of andor3_zyla12 never came" in player.read("LastError")
    np.testing.assert_array_equal(of(player, "AccumulatedImage", ZYLA), total(ZYLA, range(2)))
    player.prepare((PILATUS, ZYLA), SCAN)
    play(player)
    player.wait_finished()
    assert of(player, "FrameCount", PILATUS) == 12
    assert of(player, "FrameCount", ZYLA) == 8


def test_another_client_s_scan_of_several_cameras_is_followed(summing):
    player = summing
    number = player.read("ScanNumber")
    controller = Controller(player.info["controller"])
    wait_settled(controller)
    controller.set_sequence(beamline_map((PILATUS, ZYLA), 6))
    controller.close()
    player.wait_until("ScanNumber", lambda n: n == number + 1)
    assert not player.read("ScanFinished")
    play(player, records=False)
    player.wait_finished()
    assert player.read("Cameras") == (PILATUS, ZYLA)
    for stream in (PILATUS, ZYLA):
        np.testing.assert_array_equal(of(player, "AccumulatedImage", stream), total(stream))


def beamline_map(cameras, frames):
    """Map as the beamline's own hook does: one event a shot, with a frame of every camera."""
    alone = scan_map(cameras[:1], 1, frames, records=False)
    entries = [[{"tags": ["generic"], "constraint": number}] for number in range(frames)]
    part = dict.fromkeys(cameras, entries)
    return type(alone)({"main": part}, ["main"], wrap=True)


def test_continuous_mode_of_several_cameras_goes_on_after_each_series(summing):
    player = summing
    player.device.StartContinuous([PILATUS, ZYLA])
    number = player.read("ScanNumber")
    assert "pilatus and andor3_zyla12" in player.device.status()
    assert player.device.state() == tango.DevState.RUNNING
    error = refusal(player.device.StartContinuous, [PILATUS])
    assert error.reason == "Femtomax_ScanRunning"
    play(player, records=False)
    player.wait_until("ScanNumber", lambda n: n == number + 1)
    play(player, records=False)
    for stream in (PILATUS, ZYLA):
        player.wait_until(f"FrameCount_{stream}", lambda n: n == 12)
        np.testing.assert_array_equal(of(player, "AccumulatedImage", stream), 2 * total(stream))
    player.device.StopContinuous()
    player.wait_finished()


def test_geometry_is_of_the_camera_that_was_shown_when_it_was_written(summing):
    player = summing
    player.prepare((PILATUS, ZYLA), SCAN)
    play(player)
    player.wait_finished()
    player.write(PhotonEnergy=12.0, Distance=0.02, BeamX=10.0, BeamY=8.0)
    assert player.read("GeometryCamera") == PILATUS
    assert len(player.device.QCurve(0.3))
    player.write(Camera=ZYLA)
    player.wait_until("Detector", lambda detector: detector == ZYLA)
    error = refusal(player.device.QCurve, 0.3)
    assert error.reason == "Femtomax_NoGeometry"
    assert "that of pilatus" in error.desc
    assert len(player.device.CameraQCurve(json.dumps({"camera": PILATUS, "q": 0.3})))
    wait_for(lambda: "those of pilatus; andor3_zyla12 is shown" in player.device.status())
    player.write(BeamX=5.0)
    assert player.read("GeometryCamera") == ZYLA
    assert player.device.read_attribute("GeometryCamera").w_value == ZYLA
    assert "is shown" not in player.device.status()


def test_the_image_of_each_camera_can_be_saved(summing, tmp_path):
    player = summing
    player.prepare((PILATUS, ZYLA), SCAN)
    play(player)
    player.wait_finished()
    for stream in (PILATUS, ZYLA):
        path = tmp_path / f"{stream}.h5"
        player.device.SaveCameraImage(json.dumps({"camera": stream, "path": str(path)}))
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file["entry/image/image"][()], total(stream))


@pytest.mark.parametrize("way", ["Init", "DevRestart"])
def test_attributes_of_cameras_outlive_the_device_s_life(summing, way):
    player = summing
    player.prepare((PILATUS, ZYLA), SCAN)
    play(player)
    player.wait_finished()
    if way == "Init":
        player.device.Init()
    else:
        admin = tango.DeviceProxy(player.device.adm_name())
        admin.set_timeout_millis(20_000)
        admin.command_inout("DevRestart", player.device.dev_name())
    for stream in (PILATUS, ZYLA):
        player.wait_until(f"FrameCount_{stream}", lambda n: n == 6)
        np.testing.assert_array_equal(of(player, "AccumulatedImage", stream), total(stream))


def test_attributes_of_cameras_push_events(summing):
    player = summing
    player.prepare((PILATUS, ZYLA), SCAN, records=False)
    counts = []
    proxy = tango.DeviceProxy(player.info["device"])
    identifier = proxy.subscribe_event(
        f"FrameCount_{ZYLA}",
        tango.EventType.CHANGE_EVENT,
        lambda event: counts.append(None if event.err else event.attr_value.value),
    )
    play(player, records=False)
    wait_for(lambda: counts and counts[-1] == 6, "the event of all frames")
    proxy.unsubscribe_event(identifier)
    player.wait_finished()
