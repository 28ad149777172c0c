"""A whole stack of real processes: scans over ZMQ and HTTP, read through Tango."""

import json
import threading

import h5pyd
import numpy as np
import pytest
import tango
from support.repeats import repeats

from pipeline.simulation.scan import BurstScan, detector_frames

pytestmark = pytest.mark.slow

SCAN = BurstScan(steps=5, burst=6)
ROIS = {"ring": {"x": 355, "y": 330, "width": 35, "height": 90}}


@pytest.fixture(scope="module")
def frames():
    return list(detector_frames("pilatus", 1, SCAN.frame_positions))


def valid_sum(frames):
    stack = np.array(frames)
    return np.where(stack < 0, 0, stack).sum(axis=0, dtype=np.float64)


def run(player, frames, scan=SCAN, **more):
    player.prepare("pilatus", scan)
    player.play("pilatus", frames, scan, **more)
    player.wait_finished()


def test_the_ready_file_has_the_keys_of_the_contract(stack):
    assert set(stack) - {"pid", "folder"} == {
        "device",
        "tango_host",
        "controller",
        "reducer",
        "sardana",
        "streams",
    }
    assert set(stack["streams"]) == {"pilatus", "andor3_zyla10", "andor3_zyla12", "andor3_balor"}
    assert stack["device"].startswith(f"tango://{stack['tango_host']}/")


def test_a_scan_is_exact_and_ordered_by_motor(player, frames):
    player.write(Accumulate=True, Rois=json.dumps(ROIS))
    run(player, frames)
    assert player.read("FrameCount") == 30
    assert player.read("XAxis").tolist() == SCAN.positions
    image = player.read("AccumulatedImage")
    masked = frames[0] < 0
    assert np.array_equal(np.isnan(image), masked)
    np.testing.assert_allclose(image[~masked], valid_sum(frames)[~masked], rtol=3e-7)
    roi = ROIS["ring"]
    part = np.where(masked, np.nan, np.array(frames))[
        :, roi["y"] : roi["y"] + roi["height"], roi["x"] : roi["x"] + roi["width"]
    ]
    means = np.nanmean(part, axis=(1, 2)).reshape(5, 6).mean(axis=1)
    np.testing.assert_allclose(player.read("RoiMeanCurves")[0], means, rtol=1e-5)


@pytest.mark.parametrize("compression", ["none", "bslz4"])
def test_both_compressions_give_the_same(player, frames, compression):
    player.write(Accumulate=True)
    run(player, frames, compression=compression)
    assert player.read("FrameCount") == 30
    assert player.read("ImageSum") == pytest.approx(valid_sum(frames).sum(), rel=1e-9)


def test_many_scans_without_reset_while_parameters_are_written(player, frames):
    scans = repeats(3, 20)
    player.write(Accumulate=True)
    stop = threading.Event()
    written = []

    def write() -> None:
        with tango.EnsureOmniThread():
            device = tango.DeviceProxy(player.info["device"])
            while not stop.wait(0.05):
                device.CmosThreshold = 5.0 + len(written) % 50
                written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(scans):
            run(player, frames)
    finally:
        stop.set()
        writer.join()
    assert len(written) > 20
    assert player.read("FrameCount") == 30 * scans
    assert player.read("ImageSum") == pytest.approx(scans * valid_sum(frames).sum(), rel=1e-9)


def test_a_scan_that_is_stopped_adds_what_came(player, frames):
    player.write(Accumulate=True)
    run(player, frames)
    player.prepare("pilatus", SCAN)
    player.play("pilatus", frames, SCAN, only=13)
    records = 13 // SCAN.burst
    player.wait_until("EventsProcessed", lambda events: events == 1 + 13 + records)
    player.device.StopScan()
    player.wait_until("FrameCount", lambda count: count == 43)
    player.wait_finished()
    run(player, frames)
    assert player.read("FrameCount") == 73


def test_tango_and_h5pyd_agree(player, frames):
    player.write(Accumulate=True)
    run(player, frames)
    with h5pyd.File("/", "r", endpoint=player.info["reducer"], username="", password="") as file:
        assert int(file["accumulated_number"][()]) == player.read("FrameCount") == 30
        image = file["image"][:]
    np.testing.assert_array_equal(np.asarray(image, np.float32), player.read("AccumulatedImage"))


def test_zyla_frames_lose_their_background(player):
    scan = BurstScan(steps=2, burst=2)
    images = list(detector_frames("andor3_zyla10", 1, scan.frame_positions))
    player.write(Accumulate=True)
    player.prepare("andor3_zyla10", scan)
    player.play("andor3_zyla10", images, scan)
    player.wait_finished()
    above = [np.where(i.astype(np.int64) - 100 > 12, i.astype(np.int64) - 100, 0) for i in images]
    assert player.read("FrameCount") == 4
    np.testing.assert_array_equal(player.read("AccumulatedImage"), sum(above))
    assert player.read("ImageUnit") == "ADU"
