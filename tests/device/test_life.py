"""Every way in which a life of the device begins ends in the same working device."""

import time
from contextlib import ExitStack, closing, suppress

import numpy as np
import psutil
import pytest
import tango
from support.balor import balor_server
from support.client_side import refusal
from support.device_lives import database_server, file_server, given_database_server
from support.repeats import repeats
from support.waiting import wait_for

from femtotango.dranspose_client.controller import Controller
from femtotango.simulation.beamline import ScanPlayer
from pipeline.model.parameters import PARAMETERS
from pipeline.simulation.scan import BurstScan

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]


@pytest.fixture(scope="module", params=[file_server, database_server, given_database_server])
def beamline(request, tmp_path_factory, pipeline):
    """Give a server, its Balor and the pipeline's addresses."""
    folder = tmp_path_factory.mktemp("life")
    with ExitStack() as stack:
        balor = stack.enter_context(balor_server(folder))
        properties = {
            "ControllerUrl": pipeline["controller"],
            "ReducerUrl": pipeline["reducer"],
            "SardanaUrl": pipeline["sardana"],
            "BalorDevice": balor,
        }
        server = stack.enter_context(request.param(folder, properties))
        wait_for_the_pipeline(server.device)
        server.device.StopScan()  # which another file's tests may have left
        yield server, tango.DeviceProxy(balor), pipeline
    # Other tests use this pipeline too.
    with closing(Controller(pipeline["controller"])) as controller:
        for name, parameter in PARAMETERS.items():
            if name != "accumulation_id":
                controller.set_parameter(name, parameter.encode(parameter.default))


def take_scan(player, burst=2):
    scan = BurstScan(steps=2, burst=burst)
    player.prepare("pilatus", scan)
    player.play("pilatus", [np.ones((16, 16), np.float32)] * (scan.steps * burst), scan)
    player.wait_finished()


def wait_for_the_pipeline(device):
    wait_for(lambda: device.state() not in (tango.DevState.UNKNOWN,), device.status)


def lose_raw_data(device, camera):
    """Switch raw saving off behind the device's back, without photons: a loss."""
    camera.SaveRaw = False
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: "neither raw data nor photons" in device.status())


WAYS = ("init", "init_three_times", "dev_restart", "restart_server")
STARTS = ("start_anew", "start_after_a_kill")


def write_until_heard(device, seen):
    """Write Background until its event comes: ZMQ drops those pushed before it has connected."""
    for attempt in range(20):
        value = 80.25 + attempt
        device.Background = value
        with suppress(AssertionError):
            wait_for(lambda value=value: seen["Background"].value == value, limit=5.0)
            return value
    raise AssertionError(f"no event of Background: {seen}")


@pytest.mark.parametrize("way", WAYS + STARTS)
def test_a_new_life_works_and_knows_what_the_one_before_knew(beamline, controller, way):
    server, camera, info = beamline
    device = server.device
    wait_for_the_pipeline(device)
    with ScanPlayer({**info, "device": server.address}) as player:
        device.Background = 61.25
        device.AddRoi('{"name": "kept", "x": 1, "y": 2, "width": 3, "height": 4}')
        device.MaxFilter = True
        device.QValues = [1.5, 2.5]
        take_scan(player, burst=3)
        lose_raw_data(device, camera)
        number = device.ScanNumber
        loss = next(line for line in device.status().splitlines() if "neither raw" in line)
        wait_for(lambda: f"%22number%22: {number}," in server.kept("KeptScan"))
        wait_for(lambda: "%22reason%22" in server.kept("KeptRawData"))

        getattr(server, way)()

        device = server.device
        assert device.Background == device.read_attribute("Background").w_value == 61.25
        assert "kept" in device.Rois
        assert device.MaxFilter
        assert device.QValues.tolist() == [1.5, 2.5]
        wait_for_the_pipeline(device)
        wait_for(
            lambda: device.read_attribute("ScanNumber").value == number,
            lambda: (number, device.ScanNumber, device.status(), server.kept("KeptScan")),
        )
        assert device.FramesPerPoint == 3
        assert device.ScanFinished
        wait_for(lambda: loss in device.status(), device.status)
        assert device.state() == tango.DevState.ALARM

    # All threads are at work: settings, results, events, the watch.
    seen = {}
    subscriptions = [
        device.subscribe_event(
            name,
            tango.EventType.CHANGE_EVENT,
            lambda event, name=name: seen.update({name: event.attr_value}),
        )
        for name in ("Background", "FrameCount", "ScanNumber")
    ]
    value = write_until_heard(device, seen)
    wait_for(lambda: controller.parameter("background") == str(value).encode())
    controller.set_parameter("background", b"72.25")
    wait_for(lambda: device.Background == 72.25)
    wait_for(lambda: seen["Background"].value == 72.25)
    with ScanPlayer({**info, "device": server.address}) as player:
        take_scan(player, burst=1)
    assert device.ScanNumber == number + 1
    wait_for(lambda: seen["ScanNumber"].value == number + 1)
    wait_for(lambda: seen["FrameCount"].value == device.FrameCount)
    device.AcknowledgeLoss()
    wait_for(lambda: "neither raw" not in device.status())
    camera.SaveRaw = False
    wait_for(lambda: camera.SaveRaw)
    device.AcknowledgeLoss()
    for subscription in subscriptions:
        device.unsubscribe_event(subscription)


def test_no_thread_and_no_file_is_left_behind(beamline):
    server, _, _ = beamline
    wait_for_the_pipeline(server.device)
    process = psutil.Process(server.process.pid)

    def once():
        for way in WAYS:
            getattr(server, way)()
            wait_for(server.answers)
            wait_for_the_pipeline(server.device)

    once()
    threads, files = process.num_threads(), process.num_fds()
    for _ in range(repeats(1, 3)):
        once()
    # A connection that is kept alive may come or go, and Tango keeps a thread per client.
    wait_for(lambda: process.num_threads() <= threads + 1, process.num_threads)
    wait_for(lambda: process.num_fds() <= files + 4, process.num_fds)


@pytest.mark.parametrize("way", WAYS + STARTS)
def test_a_scan_under_way_goes_on(beamline, way):
    server, _, info = beamline
    wait_for_the_pipeline(server.device)
    scan = BurstScan(steps=1, burst=4)
    with ScanPlayer({**info, "device": server.address}) as player:
        player.prepare("pilatus", scan, records=False)
        number = player.device.ScanNumber
        wait_for(lambda: f"%22number%22: {number}," in server.kept("KeptScan"))
        getattr(server, way)()
        wait_for_the_pipeline(server.device)
        wait_for(lambda: player.read("ScanNumber") == number)
        assert not player.read("ScanFinished")
        frames = [np.ones((16, 16), np.float32)] * 4
        player.play("pilatus", frames, scan, records=False)
        player.wait_finished()
        assert player.read("ScanNumber") == number
        assert player.read("EventsProcessed") == player.read("EventsTotal")


def test_continuous_mode_goes_on_and_can_be_stopped(beamline):
    server, _, info = beamline
    wait_for_the_pipeline(server.device)
    with ScanPlayer({**info, "device": server.address}) as player:
        player.device.StartContinuous(["pilatus"])
        server.dev_restart()
        wait_for_the_pipeline(server.device)
        wait_for(lambda: "Continuous mode with pilatus" in server.device.status())
        player.device.StopContinuous()
        player.wait_finished()


def test_a_client_that_waits_for_a_scan_hears_of_the_end_at_once(beamline):
    server, _, info = beamline
    device = server.device
    wait_for_the_pipeline(device)
    with ScanPlayer({**info, "device": server.address}) as player:
        player.prepare("pilatus", BurstScan(steps=1, burst=4), records=False)
        waiting = player.device.command_inout_asynch(
            "PrepareScan", '{"streams": ["pilatus"], "steps": 1, "burst": 1}'
        )
        number = device.ScanNumber
        device.Init()
        error = refusal(player.device.command_inout_reply, waiting, 10_000)
        assert error.reason == "Femtomax_Interrupted"
        wait_for_the_pipeline(device)
        device.StopScan()
        player.wait_finished()
        assert device.ScanNumber == number, "nothing was armed behind the client's back"


def test_a_bad_property_is_a_fault_that_accepts_nothing_until_it_is_corrected(beamline):
    server, _, info = beamline
    device = server.device
    wait_for_the_pipeline(device)
    device.Background = 33.5
    for name, bad, good in (
        ("ControllerUrl", "nonsense", info["controller"]),
        ("UpdateRate", "fast", "5"),
    ):
        server.change_property(name, bad)
        device = server.device
        assert device.state() == tango.DevState.FAULT
        assert name in device.status() and bad in device.status()
        error = refusal(device.write_attribute, "Background", 34.5)
        assert error.reason == "Femtomax_BadProperty"
        assert name in error.desc
        reading = device.read_attribute("Background")
        assert reading.value == reading.w_value == 33.5
        for command, argument in (
            ("AddRoi", '{"name": "a", "x": 1, "y": 2, "width": 3, "height": 4}'),
            ("PrepareScan", '{"streams": ["pilatus"], "steps": 1, "burst": 1}'),
            ("StartAccumulation", None),
            ("ResetAccumulation", None),
        ):
            assert refusal(device.command_inout, command, argument).reason == error.reason
        server.change_property(name, good)
        device = server.device
        wait_for_the_pipeline(device)
        device.Background = 33.5


def test_a_stop_under_way_is_finished_by_the_next_life(beamline):
    server, _, info = beamline
    device = server.device
    wait_for_the_pipeline(device)
    with ScanPlayer({**info, "device": server.address}) as player:
        player.prepare("pilatus", BurstScan(steps=1, burst=4), records=False)
        stopping = player.device.command_inout_asynch("StopScan")
        time.sleep(0.1)
        device.Init()
        try:
            player.device.command_inout_reply(stopping, 10_000)
        except tango.DevFailed as error:
            assert error.args[0].reason == "Femtomax_Interrupted"
            device.StopScan()
        wait_for_the_pipeline(device)
        player.wait_finished()
        assert "4 of 4 frames" in device.LastError
