"""Continuous mode through the device, on a whole stack."""

import tango
from support.client_side import refusal
from support.device_scans import FRAME, frames, request

from pipeline.protocols.stins import stins_end, stins_header, stins_image
from pipeline.simulation.scan import BurstScan


def series(player, count, stream="pilatus"):
    source = player.source(stream)
    source.send([stins_header(0, "", None)])
    for number in range(count):
        source.send([stins_image(number + 1, number, FRAME, "none")])
    source.send([stins_end(count + 1)])


def test_continuous_mode_goes_on_after_each_series(player):
    device = player.device
    player.write(Accumulate=True)
    device.StartContinuous(["pilatus"])
    assert device.state() == tango.DevState.RUNNING
    assert not device.ScanFinished
    device.StartContinuous(["pilatus"])
    for done in (1, 2, 3):
        number = device.ScanNumber
        series(player, 17)
        player.wait_until("ScanNumber", lambda n, number=number: n == number + 1)
        player.wait_until("FrameCount", lambda n, done=done: n == 17 * done)
    assert refusal(device.PrepareScan, request()).reason == "Femtomax_ScanRunning"
    assert refusal(device.StartContinuous, ["andor3_zyla10"]).reason == "Femtomax_ScanRunning"
    failed = device.FailedFrames
    device.StopContinuous()
    player.wait_finished()
    assert device.FrameCount == 51
    assert device.FailedFrames == failed
    assert device.state() == tango.DevState.ON


def test_continuous_mode_stopped_in_a_series_keeps_every_frame(player):
    player.write(Accumulate=True)
    player.device.StartContinuous(["pilatus"])
    source = player.source("pilatus")
    source.send([stins_header(0, "", None)])
    for number in range(23):
        source.send([stins_image(number + 1, number, FRAME, "none")])
    player.wait_until("ScanFrames", lambda n: n == 23)
    player.device.StopContinuous()
    player.wait_finished()
    assert player.device.FrameCount == 23


def test_a_reset_begins_a_new_sum(player):
    player.write(Accumulate=True)
    scan = BurstScan(steps=1, burst=4)
    for _ in range(2):
        player.prepare("pilatus", scan)
        player.play("pilatus", frames(4), scan)
        player.wait_finished()
    assert player.device.FrameCount == 8
    player.device.ResetAccumulation()
    player.wait_until("FrameCount", lambda n: n == 0)
    player.prepare("pilatus", scan)
    player.play("pilatus", frames(4), scan)
    player.wait_finished()
    assert player.device.FrameCount == 4


def test_continuous_mode_from_before_an_init_can_be_stopped(player):
    device = player.device
    player.write(Accumulate=True)
    device.StartContinuous(["pilatus"])
    device.Init()
    device.StopContinuous()
    player.wait_finished()
    assert device.state() == tango.DevState.ON
    device.StartContinuous(["pilatus"])
    series(player, 5)
    player.wait_until("FrameCount", lambda n: n == 5)
    device.StopContinuous()
    player.wait_finished()


def test_stop_continuous_leaves_a_scan_alone(player):
    scan = BurstScan(steps=1, burst=2)
    player.prepare("pilatus", scan)
    player.device.StopContinuous()
    assert not player.device.ScanFinished
    player.play("pilatus", frames(2), scan)
    player.wait_finished()
