"""Raw data are dropped while every frame is safe, and saved again whatever ends that."""

import functools
import time

import pytest
import tango
from support.balor import balor_server
from support.client_side import refusal
from support.device_server import server_process, serving, write_memory
from support.raw_data import (
    MANY,
    STREAM,
    Series,
    drop_raw_data,
    halted,
    photon_frame,
    prepare,
    processes,
    saved_again,
)
from support.waiting import STEADY, stays, wait_for
from tango import DevState

from femtotango.dranspose_client.addresses import Addresses
from femtotango.dranspose_client.trigger_maps import scan_map
from femtotango.simulation.beamline import ScanPlayer
from femtotango.simulation.detector_socket import PushSource

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]
_ROUNDS = 5
_TOO_BUSY = ("no sign of life of", "the reducer has not answered in time")


@pytest.fixture
def player(play):
    return play()


def undisturbed(test):
    """Run a test again where the machine was too busy for a part to show life in time.

    Raw data are saved then, as they must be: such a round says nothing about the rest.
    """

    @functools.wraps(test)
    def rounds(player, **others):
        for _ in range(_ROUNDS):
            try:
                return test(player, **others)
            except AssertionError:
                if not _was_too_busy(player.device):
                    raise
            player.device.StopScan()
            player.wait_finished()
            acknowledged(player.device)
        raise AssertionError(f"disturbed in each of {_ROUNDS} rounds")

    return rounds


def _was_too_busy(device) -> bool:
    """Say whether the status names a part without a sign of life; it may follow a little later."""
    deadline = time.monotonic() + STEADY
    while not (found := any(sign in device.status() for sign in _TOO_BUSY)):
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return found


def acknowledged(device):
    device.AcknowledgeLoss()
    wait_for(lambda: device.UnsafeFrames == "", device.status)
    wait_for(lambda: "SaveRaw was switched on" not in device.status(), device.status)


@undisturbed
def test_raw_data_are_dropped_for_one_scan_and_its_normal_end_is_no_loss(player, balor, raw):
    camera, device = balor[0], player.device
    wait_for(lambda: player.read("SaveRaw") is True)
    error = refusal(device.write_attribute, "SaveRaw", False)
    assert error.reason == "Femtomax_NotTrusted"
    assert "SaveRaw stays true: no prepared or continuous scan" in error.desc
    prepare(player, 100)
    error = refusal(device.write_attribute, "SaveRaw", False)
    assert "has not come yet: start the camera" in error.desc
    with Series(player.source(STREAM), raw / "good.h5", rate=20, frames=100):
        drop_raw_data(device)
        assert not camera.SaveRaw
        wait_for(lambda: player.read("SaveRaw") is False)
        player.wait_finished()
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: device.state() == DevState.ON, device.status)
    assert device.UnsafeFrames == ""
    assert device.read_attribute("UnsafeFrames").quality == tango.AttrQuality.ATTR_VALID
    assert device.PhotonCount == 25 * 100
    error = refusal(device.write_attribute, "SaveRaw", False)
    assert "no prepared or continuous scan" in error.desc, "each scan asks for itself"


@undisturbed
def test_permission_lasts_as_long_as_all_is_well(player, balor, raw):
    prepare(player, MANY)
    with Series(player.source(STREAM), raw / "long.h5") as series:
        drop_raw_data(player.device)
        stays(lambda: not balor[0].SaveRaw, player.device.status, 10.0)
        series.end()
        wait_for(lambda: balor[0].SaveRaw)
        wait_for(lambda: player.device.UnsafeFrames == "", player.device.status)
    player.device.StopScan()
    player.wait_finished()


def test_piled_up_photons_end_it(player, balor, raw):
    prepare(player, MANY)
    with Series(player.source(STREAM), raw / "piled.h5") as series:
        drop_raw_data(player.device)
        series.image = photon_frame(2)
        saved_again(player, balor[0])
        assert "PileupThreshold" in player.device.status()
        reading = player.device.read_attribute("UnsafeFrames")
        assert reading.value.startswith(f"scan {player.read('ScanNumber')}: ")
        assert reading.quality == tango.AttrQuality.ATTR_ALARM
        player.device.StopScan()
    player.wait_finished()
    acknowledged(player.device)


@pytest.mark.parametrize("part", ["reducer", "worker", "ingester", "controller", "redis"])
def test_a_part_that_hangs(player, balor, raw, pipeline, part):
    prepare(player, MANY)
    with Series(player.source(STREAM), raw / "hangs.h5"):
        drop_raw_data(player.device)
        with halted(pipeline, part):
            saved_again(player, balor[0])
        assert player.device.UnsafeFrames.endswith("-"), "the series goes on"
        wait_for(lambda: player.device.state() != DevState.UNKNOWN, player.device.status)
        player.device.StopScan()
    player.wait_finished()


@pytest.mark.parametrize("part", ["reducer", "worker", "ingester"])
def test_a_part_that_is_killed(own_stack, tmp_path, balor, raw, part):
    config = tmp_path / "up.toml"
    streams = f'[streams]\n{STREAM} = ""\n'
    config.write_text(
        f'workers = 1\ndatabase = false\n{streams}[properties]\nBalorDevice = "{balor[1]}"\n'
    )
    info = own_stack("--config", str(config))
    with ScanPlayer(info) as player:
        prepare(player, MANY)
        with Series(player.source(STREAM), raw / "killed.h5"):
            drop_raw_data(player.device)
            for process in processes(info, part):
                process.kill()
            saved_again(player, balor[0])
            assert player.device.UnsafeFrames.endswith("-")


def test_stop_scan_in_the_middle_of_the_series(player, balor, raw):
    prepare(player, 100)
    with Series(player.source(STREAM), raw / "stopped.h5") as series:
        drop_raw_data(player.device)
        player.device.StopScan()
        saved_again(player, balor[0])
        player.wait_finished()
        assert series.sent < 100
    number = player.read("ScanNumber")
    wait_for(lambda: player.device.UnsafeFrames.endswith("-"), player.device.status)
    assert player.device.UnsafeFrames.startswith(f"scan {number}: ")
    assert "was stopped" in player.device.status()
    assert player.device.state() == DevState.ALARM
    player.device.SaveRaw = True
    assert player.device.UnsafeFrames, "writing is no acknowledgement"
    acknowledged(player.device)


def test_more_frames_than_announced(player, balor, raw):
    prepare(player, 30)
    with Series(player.source(STREAM), raw / "more.h5", rate=20):
        drop_raw_data(player.device)
        saved_again(player, balor[0])
        wait_for(lambda: player.device.UnsafeFrames.endswith("-"), player.device.status)
    player.device.StopScan()
    player.wait_finished()


def test_another_client_that_begins_a_scan(player, balor, raw, controller):
    prepare(player, MANY)
    with Series(player.source(STREAM), raw / "foreign.h5"):
        drop_raw_data(player.device)
        controller.set_sequence(scan_map([STREAM], 1, 5, records=False))
        saved_again(player, balor[0])
    player.device.StopScan()
    player.wait_finished()


def test_a_series_that_nobody_prepared_has_raw_data(player, balor, raw):
    prepare(player, 30)
    with Series(player.source(STREAM), raw / "first.h5", rate=20, frames=30):
        drop_raw_data(player.device)
        player.wait_finished()
    wait_for(lambda: balor[0].SaveRaw)
    with Series(player.source(STREAM), raw / "nobody.h5", rate=20, frames=10):
        error = refusal(player.device.write_attribute, "SaveRaw", False)
        assert "call PrepareScan or StartContinuous" in error.desc


@undisturbed
def test_continuous_mode_saves_raw_data_between_the_series(player, balor, raw):
    device = player.device
    wait_for(lambda: device.state() != DevState.UNKNOWN, device.status)
    player.write(PhotonRoi='{"x": 0, "y": 0, "width": 256, "height": 256}')
    device.StartContinuous([STREAM])
    for n in range(3):
        number = player.read("ScanNumber")
        with Series(player.source(STREAM), raw / f"{n}.h5", rate=20) as series:
            drop_raw_data(device)
            series.end()
            wait_for(lambda: balor[0].SaveRaw)
        player.wait_until("ScanNumber", lambda value, before=number: value > before)
        assert balor[0].SaveRaw, "while the next map is armed"
    assert device.UnsafeFrames == ""
    assert "SaveRaw was switched on" not in device.status()
    device.StopContinuous()
    player.wait_finished()


def test_an_init_saves_raw_data_and_forgets_nothing(player, balor, raw):
    prepare(player, MANY)
    with Series(player.source(STREAM), raw / "init.h5") as series:
        drop_raw_data(player.device)
        player.device.Init()
        assert balor[0].SaveRaw, "before the watch ends"
        saved_again(player, balor[0])
        assert player.device.UnsafeFrames.endswith("-")
        player.device.Init()
        wait_for(lambda: player.device.UnsafeFrames.endswith("-"), player.device.status)
        series.end()
        wait_for(lambda: "No frame of scan" in player.device.status(), player.device.status)
        assert player.device.UnsafeFrames == ""
        assert player.device.state() == DevState.ALARM, "until somebody has seen it"
    player.device.StopScan()
    player.wait_finished()
    acknowledged(player.device)


@pytest.fixture
def source(pipeline):
    """Give the camera's socket, which outlives the device."""
    with PushSource(pipeline["streams"][STREAM]) as source:
        yield source


@pytest.mark.parametrize("kill", [False, True])
def test_a_server_that_ends_while_raw_data_are_not_saved(
    tmp_path, pipeline, balor, raw, source, kill
):
    camera = balor[0]
    properties = Addresses.from_ready_info(pipeline).properties | {"BalorDevice": balor[1]}
    memory = tmp_path / "memory.txt"

    def life():
        return serving(memory, properties)

    with Series(source, raw / "ends.h5") as series:
        with life() as address, ScanPlayer({**pipeline, "device": address}) as player:
            prepare(player, MANY)
            drop_raw_data(player.device)
            if kill:
                server_process(memory).kill()
        if kill:
            assert not camera.SaveRaw, "nobody was left to switch it on"
        else:
            assert camera.SaveRaw
        with life() as address, ScanPlayer({**pipeline, "device": address}) as player:
            saved_again(player, camera)
            wait_for(lambda: player.device.UnsafeFrames.endswith("-"), player.device.status)
            assert player.device.UnsafeFrames.startswith(f"scan {player.read('ScanNumber')}: ")
            said = "was killed" if kill else "was ended or initialised"
            assert said in player.device.status()
            series.end()
            wait_for(lambda: "No frame of scan" in player.device.status(), player.device.status)
            acknowledged(player.device)
            player.device.StopScan()
            player.wait_finished()


def test_the_old_camera_saves_raw_data_when_the_property_names_another(play, balor, raw, tmp_path):
    player = play()
    other = tmp_path / "other"
    other.mkdir()
    with balor_server(other) as address:
        prepare(player, MANY)
        with Series(player.source(STREAM), raw / "old.h5"):
            drop_raw_data(player.device)
            write_memory(tmp_path / "memory.txt", {"BalorDevice": address}, {})
            player.device.Init()
            assert balor[0].SaveRaw
            saved_again(player, balor[0])
        player.device.StopScan()
        player.wait_finished()
        assert tango.DeviceProxy(address).SaveRaw


def test_a_balor_that_is_away_is_said(pipeline, tmp_path):
    properties = {
        "ControllerUrl": pipeline["controller"],
        "ReducerUrl": pipeline["reducer"],
        "BalorDevice": "tango://127.0.0.1:1/a/b/c#dbase=no",
    }
    with serving(tmp_path / "memory.txt", properties) as address:
        device = tango.DeviceProxy(address)
        wait_for(lambda: "is BalorDevice right" in device.status())
        assert device.read_attribute("SaveRaw").quality == tango.AttrQuality.ATTR_INVALID
        error = refusal(device.write_attribute, "SaveRaw", True)
        assert error.reason == "Femtomax_NoBalor", error.desc
