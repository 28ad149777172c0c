"""What PrepareScan waits for, what it refuses, and what ends it."""

import threading
import time

import pytest
import tango
from support.client_side import refusal
from support.device_scans import frames, readings, request
from support.waiting import STEADY, stays, wait_for

from pipeline.simulation.scan import BurstScan


def test_what_is_true_when_prepare_scan_returns(player):
    device = player.device
    number = device.ScanNumber
    for _ in range(2):
        scan = BurstScan(steps=2, burst=3)
        player.prepare("pilatus", scan)
        number += 1
        assert readings(device, "ScanNumber", "EventsProcessed", "EventsTotal", "ScanFinished") == {
            "ScanNumber": number,
            "EventsProcessed": 0,
            "EventsTotal": 10,
            "ScanFinished": False,
        }
        assert device.state() == tango.DevState.RUNNING
        player.play("pilatus", frames(6), scan)
        player.wait_finished()
        assert device.EventsProcessed == 10
        assert device.state() == tango.DevState.ON


def test_an_unfinished_scan_is_waited_for_and_then_refused(player):
    device = player.device
    scan = BurstScan(steps=1, burst=4)
    player.prepare("pilatus", scan)
    refused = []

    def prepare() -> None:
        refused.append(refusal(device.PrepareScan, request()))

    command = threading.Thread(target=prepare)
    other = tango.DeviceProxy(player.info["device"])
    command.start()
    for _ in range(40):
        other.read_attributes(["State", "FrameCount", "Background"])
        time.sleep(0.02)
    assert command.is_alive(), "other clients were held up until the command was refused"
    command.join()
    (error,) = refused
    assert error.reason == "Femtomax_ScanRunning"
    assert "StopScan" in error.desc
    player.play("pilatus", frames(4), scan)
    player.wait_finished()


def test_a_client_that_has_given_up_gets_no_scan(player):
    device = player.device
    scan = BurstScan(steps=1, burst=4)
    player.prepare("pilatus", scan)
    number = device.ScanNumber
    other = tango.DeviceProxy(player.info["device"])
    other.ping()
    other.set_timeout_millis(1000)
    refusal(other.PrepareScan, request(timeout=1))
    player.play("pilatus", frames(4), scan)
    player.wait_finished()
    stays(lambda: device.ScanNumber == number and device.ScanFinished, "a scan began")


@pytest.mark.parametrize("way", ["Init", "DevRestart"])
def test_a_command_that_waits_hears_of_the_end_of_the_life(player, way):
    device = player.device
    player.prepare("pilatus", BurstScan(steps=1, burst=4))
    other = tango.DeviceProxy(player.info["device"])
    other.set_timeout_millis(60_000)
    errors = []
    command = threading.Thread(
        target=lambda: errors.append(refusal(other.PrepareScan, request(timeout=60)))
    )
    command.start()
    threading.Event().wait(STEADY)
    assert command.is_alive()
    if way == "Init":
        device.Init()
    else:
        admin = tango.DeviceProxy(device.adm_name())
        admin.set_timeout_millis(20_000)
        admin.command_inout("DevRestart", device.dev_name())
    command.join()
    assert errors[0].reason == "Femtomax_Interrupted", "it waited until its time was up"
    assert "call it again" in errors[0].desc
    device.StopScan()
    player.wait_finished()


def test_prepare_waits_for_a_scan_that_is_about_to_finish(player):
    first, second = BurstScan(steps=1, burst=4), BurstScan(steps=1, burst=2)
    player.prepare("pilatus", first)
    number = player.device.ScanNumber
    later = threading.Timer(1.0, player.play, ("pilatus", frames(4), first))
    later.start()
    player.device.PrepareScan(request(steps=1, burst=2))
    later.join()
    assert player.device.ScanNumber == number + 1
    player.play("pilatus", frames(2), second)
    player.wait_finished()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (request(streams=["eiger"]), "Femtomax_UnknownStream"),
        ("{", "Femtomax_BadRequest"),
    ],
)
def test_a_refused_scan_changes_nothing(player, text, reason):
    before = player.device.ScanNumber
    assert refusal(player.device.PrepareScan, text).reason == reason
    assert player.device.ScanNumber == before
    assert player.device.ScanFinished


def test_two_clients_that_prepare_at_once_get_their_scans_one_after_the_other(player):
    device = player.device
    number = device.ScanNumber
    scan = BurstScan(steps=1, burst=2)
    began = []

    def prepare() -> None:
        other = tango.DeviceProxy(player.info["device"])
        other.set_timeout_millis(30_000)
        other.PrepareScan(request(steps=1, burst=2))
        began.append(other.ScanNumber)

    clients = [threading.Thread(target=prepare) for _ in range(2)]
    for client in clients:
        client.start()
    wait_for(lambda: len(began) == 1)
    player.play("pilatus", frames(2), scan)
    wait_for(lambda: len(began) == 2)
    player.play("pilatus", frames(2), scan)
    player.wait_finished()
    for client in clients:
        client.join()
    assert began == [number + 1, number + 2]
