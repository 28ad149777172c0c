"""Parts of the pipeline that hang or die under the device."""

import re
import signal
from contextlib import suppress

import numpy as np
import pytest
import tango
from support.killing import INGESTERS, kill, ready
from support.stack import process, reset
from support.waiting import wait_for
from tango import AttrQuality, DevState

from femtotango.dranspose_client.controller import Controller
from femtotango.errors import Unreachable
from femtotango.simulation.beamline import ScanPlayer
from pipeline.model.parameters import PARAMETERS
from pipeline.simulation.scan import BurstScan


def take_scan(player):
    scan = BurstScan(steps=1, burst=4)
    player.prepare("pilatus", scan)
    player.play("pilatus", [np.ones((16, 16), np.float32)] * 4, scan)
    player.wait_finished()


@pytest.fixture
def own_player(breakable):
    with ScanPlayer(breakable) as player:
        reset(player)
        yield player


def test_a_hung_controller_does_not_stop_the_results(player):
    device = player.device
    player.write(Accumulate=True)
    take_scan(player)
    controller = process(player.info, "dranspose.controller:app")
    controller.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: device.state() == DevState.UNKNOWN)
        assert "controller" in device.status()
        assert device.FrameCount == 4
        assert device.read_attribute("EventsTotal").quality == AttrQuality.ATTR_INVALID
        device.Background = 66.5
        assert device.Background == 66.5
    finally:
        controller.send_signal(signal.SIGCONT)
    wait_for(lambda: device.state() == DevState.ON)
    controller = Controller(player.info["controller"])
    wait_for(lambda: controller.parameter("background") == b"66.5")
    controller.close()


def test_a_hung_reducer_is_unknown_and_its_results_invalid(player):
    device = player.device
    take_scan(player)
    reducer = process(player.info, "dranspose.reducer:app")
    reducer.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: device.state() == DevState.UNKNOWN)
        assert "reducer" in device.status()
        assert device.read_attribute("FrameCount").quality == AttrQuality.ATTR_INVALID
    finally:
        reducer.send_signal(signal.SIGCONT)
    wait_for(lambda: device.read_attribute("FrameCount").quality == AttrQuality.ATTR_VALID)
    take_scan(player)


def test_a_controller_that_forgot_its_parameters_gets_them_again(own_player):
    device, info = own_player.device, own_player.info
    own_player.write(Accumulate=True, Background=66.5, CmosThreshold=3.5)
    take_scan(own_player)
    kill(info, "dranspose.controller:app")
    controller = Controller(info["controller"])

    def has(name, value):
        with suppress(Unreachable):  # it is started again, and knows nothing at first
            known = controller.parameter(name)
            return bool(known) and PARAMETERS[name].decode(known) == value
        return False

    for name, value in (("background", 66.5), ("cmos_threshold", 3.5), ("accumulate", True)):
        wait_for(lambda n=name, v=value: has(n, v))
    controller.close()
    take_scan(own_player)
    assert device.FrameCount == 8, "the sum goes on"
    assert device.Background == 66.5


def test_a_scan_after_the_reducer_was_killed(own_player):
    device = own_player.device
    take_scan(own_player)
    kill(own_player.info, "dranspose.reducer:app")
    take_scan(own_player)
    assert device.FrameCount == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("part", ["worker1", "pilatus"])
def test_a_scan_that_has_lost_a_part_is_given_up_by_itself(own_player, part, how):
    device = own_player.device
    own_player.prepare("pilatus", BurstScan(steps=1, burst=4))
    hit = process(own_player.info, part)
    hit.send_signal(how)
    own_player.wait_finished()
    # Ingesters are restarted with a worker, which is named alone all the same.
    named = "worker1" if part == "worker1" else ".*pilatus.*"
    lost = rf"Scan \d+ was given up because {named} ended or hangs?; 4 of 4 frames"
    assert re.search(lost, own_player.read("LastError")), own_player.read("LastError")

    def works() -> bool:
        try:
            take_scan(own_player)
        except tango.DevFailed:
            return False
        return True

    wait_for(works, "the next scan")
    assert device.state() == DevState.ON, device.status()
    # So that the next test finds a whole stack.
    wait_for(lambda: not hit.is_running(), "the end of what hangs")
    wait_for(lambda: ready(own_player.info, (), INGESTERS), "recovery")
