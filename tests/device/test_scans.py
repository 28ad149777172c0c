"""Scans through the device, on a whole stack."""

import json
from contextlib import closing, suppress
from threading import Thread

import numpy as np
import pytest
import tango
from support.client_side import refusal
from support.device_scans import FRAME, frames
from support.device_server import device_server
from support.waiting import STEADY, wait_for

from femtotango.dranspose_client.addresses import Addresses
from femtotango.dranspose_client.controller import Controller
from femtotango.dranspose_client.trigger_maps import scan_map
from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan


def test_everything_is_readable_once_the_scan_is_finished(player):
    device = player.device
    whole = {"camera": "pilatus", "x": 0, "y": 0, "width": 48, "height": 32}
    device.AddRoi(json.dumps({"name": "all", **whole}))
    device.AddRoi(json.dumps({"name": "outside", **whole, "x": 100}))
    player.write(Accumulate=True)
    scan = BurstScan(steps=3, burst=4)
    player.prepare("pilatus", scan)
    images = [np.full((32, 48), i // 4 + i % 4, np.float32) for i in range(12)]
    player.play("pilatus", images, scan)
    player.wait_finished()
    assert device.FrameCount == 12
    np.testing.assert_array_equal(device.AccumulatedImage, sum(images))
    assert device.ImageSum == np.sum(images)
    assert (device.ImageWidth, device.ImageHeight) == (48, 32)
    assert device.PixelSize == 172e-6
    assert device.RoiNames == ("all", "outside")
    np.testing.assert_array_equal(device.XAxis, [1.0, 1.5, 2.0])
    np.testing.assert_allclose(device.RoiMeanCurves, [[1.5, 2.5, 3.5], [np.nan] * 3])
    np.testing.assert_allclose(device.RoiMeanErrors[0], [np.std(range(4), ddof=1) / 2] * 3)
    np.testing.assert_array_equal(device.Roi1Curve, [1.5, 2.5, 3.5])
    assert device.Roi1Mean == device.RoiMeans[0] == 5.0
    assert np.isnan(device.RoiMeans[1])
    assert device.RoiSlots[:3] == ("all", "outside", "")
    assert np.isnan(device.Roi3Mean)
    assert len(device.Roi3Curve) == 0
    assert device.RoiSums[0] == sum(i.mean() for i in images)
    assert device.RoiCounts.tolist() == [12, 0]
    assert device.ScanFrames == 12
    assert device.FramesPerPoint == 4
    assert device.XLabel == "dummy_mot_01"
    assert device.Detector == "pilatus"
    assert device.ImageUnit == "TOT"
    assert device.LastFrameAge < 60


def test_values_of_one_snapshot_carry_the_same_time(player):
    scan = BurstScan(steps=1, burst=2)
    player.prepare("pilatus", scan)
    player.play("pilatus", frames(2), scan)
    player.wait_finished()
    names = ["FrameCount", "ImageSum", "RoiMeans", "PreviewImage", "AzimuthalQ", "XLabel"]
    times = {reading.time.totime() for reading in player.device.read_attributes(names)}
    assert len(times) == 1


def test_a_scan_that_is_stopped_adds_what_came_and_counts_the_rest(player):
    device = player.device
    player.write(Accumulate=True)
    scan = BurstScan(steps=5, burst=6)
    player.prepare("pilatus", scan)
    failed = device.FailedFrames
    player.play("pilatus", frames(30), scan, only=13)
    device.StopScan()
    player.wait_finished()
    assert device.FrameCount == 13
    assert device.FailedFrames == failed + 17
    assert "17 of 30 frames never came" in device.LastError
    assert device.state() == tango.DevState.ON
    next_scan = BurstScan(steps=2, burst=3)
    player.prepare("pilatus", next_scan)
    player.play("pilatus", frames(6), next_scan)
    player.wait_finished()
    assert device.FrameCount == 19


def test_a_scan_that_never_began_can_be_stopped(player):
    player.prepare("pilatus", BurstScan(steps=1, burst=4))
    player.device.StopScan()
    player.wait_finished()
    assert "4 of 4 frames never came" in player.device.LastError
    scan = BurstScan(steps=1, burst=2)
    player.prepare("pilatus", scan)
    player.play("pilatus", frames(2), scan)
    player.wait_finished()


def test_settings_written_before_the_scan_hold_for_every_frame(player):
    player.write(Accumulate=True)
    total = 0.0
    for threshold in (5.0, 15.0, 25.0):
        player.write(CmosThreshold=threshold, Background=100.0)
        scan = BurstScan(steps=1, burst=10)
        player.prepare("andor3_zyla10", scan, records=False)
        player.play("andor3_zyla10", [np.full((16, 16), 120, np.uint16)] * 10, scan, records=False)
        player.write(CmosThreshold=1.0)
        player.wait_finished()
        total += 10 * 20 * 256 if threshold < 20 else 0
        if threshold < 20:
            continue
        assert player.device.FrameCount == 30
    assert player.device.ImageSum >= total


def test_another_client_s_trigger_map_is_followed_though_settings_are_posted_with_it(player):
    number = player.device.ScanNumber

    def post_settings() -> None:
        with closing(Controller(player.info["controller"])) as another:
            for background in range(91, 97):
                another.set_parameter("background", str(background).encode())

    with closing(Controller(player.info["controller"])) as controller:
        posting = Thread(target=post_settings)
        posting.start()
        controller.set_sequence(scan_map(["pilatus"], 1, 3, records=False))
        posting.join()
    player.wait_until("ScanNumber", lambda n: n == number + 1)
    assert not player.device.ScanFinished
    player.play("pilatus", frames(3), BurstScan(steps=1, burst=3), records=False)
    player.wait_finished()
    assert player.device.EventsTotal == 5


@pytest.mark.parametrize("command", ["StartAccumulation", "ResetAccumulation"])
def test_frames_right_after_a_command_belong_to_the_new_sum(player, command):
    device = player.device
    player.write(Accumulate=command == "ResetAccumulation")
    device.StartContinuous(["pilatus"])
    source = player.source("pilatus")
    source.send([stins_header(0, "", None)])

    def send(first, last):
        for number in range(first, last):
            source.send([stins_image(number + 1, number, FRAME, "none")])
        player.wait_until("ScanFrames", lambda n: n == last)

    send(0, 5)
    device.command_inout(command)
    send(5, 13)
    device.StopContinuous()
    player.wait_finished()
    assert device.FrameCount == 8


def test_regions_of_the_image(player):
    import io

    image = np.arange(32 * 48, dtype=np.float32).reshape(32, 48)
    image[0, 0] = -1
    scan = BurstScan(steps=1, burst=1)
    player.prepare("pilatus", scan)
    player.play("pilatus", [image], scan)
    player.wait_finished()

    def region(*numbers):
        kind, content = player.device.GetRegion(list(numbers))
        assert kind == "npy"
        return np.load(io.BytesIO(content))

    np.testing.assert_array_equal(region(40, 30, 100, 100, 1), image[30:, 40:])
    assert region(0, 0, 48, 32, 10).shape == (4, 5)
    assert region(0, 0, 2, 2, 2)[0, 0] == np.float32((1 + 48 + 49) / 3)
    assert np.isnan(region(0, 0, 1, 1, 1)[0, 0])
    player.write(MaxFilter=True)
    assert region(0, 0, 48, 32, 48)[0, 0] == image.max()
    whole = player.read("AccumulatedImage")
    # Cut from the image that was just read.
    np.testing.assert_array_equal(region(0, 0, 48, 32, 1), whole)
    assert region(0, 0, 48, 32, 48)[0, 0] == image.max()
    assert refusal(player.device.GetRegion, [100, 0, 5, 5, 1]).reason == "Femtomax_BadRequest"


def test_bad_frames_are_an_alarm_of_this_scan_only(player):
    scan = BurstScan(steps=1, burst=3)
    player.prepare("pilatus", scan, records=False)
    source = player.source("pilatus")
    source.send([stins_header(0, "", None)])
    for number in range(3):
        message = stins_image(number + 1, number, FRAME, "none")
        source.send([[message[0], message[1][:100]] if number == 1 else message])
    source.send([stins_end(4)])
    player.wait_finished()
    assert player.device.state() == tango.DevState.ALARM
    assert "1 frames of this scan could not be used" in player.device.status()
    assert player.device.ScanFrames == 3
    player.prepare("pilatus", scan, records=False)
    assert player.device.state() == tango.DevState.RUNNING
    player.play("pilatus", frames(3), scan, records=False)
    player.wait_finished()
    assert player.device.state() == tango.DevState.ON


def test_counters_push_events_while_frames_come(player):
    seen = []
    subscription = player.device.subscribe_event(
        "FrameCount",
        tango.EventType.CHANGE_EVENT,
        lambda event: seen.append(None if event.err else event.attr_value.value),
    )
    player.write(Accumulate=True)
    scan = BurstScan(steps=1, burst=6)

    def hears_of_a_scan() -> bool:
        # What changes right after a subscription may not be heard yet.
        player.prepare("pilatus", scan)
        player.play("pilatus", frames(6), scan)
        player.wait_finished()
        with suppress(AssertionError):
            return wait_for(lambda: seen[-1] == player.read("FrameCount"), limit=STEADY)
        return False

    wait_for(lambda: seen, "the first event")
    wait_for(hears_of_a_scan, lambda: f"an event of the sum; there were {seen}")
    assert seen[-1] % 6 == 0
    player.device.unsubscribe_event(subscription)


def test_a_device_that_starts_later_takes_what_ended_before_as_over(player, tmp_path):
    player.write(Accumulate=True)
    scan = BurstScan(steps=2, burst=3)
    player.prepare("pilatus", scan)
    player.play("pilatus", frames(6), scan, only=4)
    player.device.StopScan()
    player.wait_finished()
    properties = Addresses.from_ready_info(player.info).properties
    with device_server(tmp_path / "memory.txt", properties) as second:
        wait_for(lambda: second.state() == tango.DevState.ON, second.status)
        assert second.ScanFinished
        assert second.FrameCount == 4
        assert second.Accumulate
        assert len(second.XAxis) == len(player.device.XAxis)
        assert second.ScanTitle == player.device.ScanTitle


def test_a_device_that_starts_in_a_scan_follows_it(player, tmp_path):
    player.write(Accumulate=True)
    scan = BurstScan(steps=1, burst=3)
    player.prepare("pilatus", scan)
    properties = Addresses.from_ready_info(player.info).properties
    with device_server(tmp_path / "memory.txt", properties) as second:
        wait_for(lambda: second.state() == tango.DevState.RUNNING, second.status)
        player.play("pilatus", frames(3), scan)
        player.wait_finished()
        wait_for(lambda: second.ScanFinished)
        assert second.FrameCount == 3
