"""The interlock on the Balor's raw data, with a simulated Balor and real photon scans."""

import time
from contextlib import ExitStack

import numpy as np
import pytest
import tango
from support.balor import balor_server
from support.client_side import refusal
from support.device_server import serving
from support.waiting import stays, wait_for
from tango import DevState

from femtotango.component.save_raw_interlock import PATIENCE
from femtotango.dranspose_client.addresses import Addresses
from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan

SHAPE = (256, 256)
LONG_ENOUGH = PATIENCE
"""In this time the interlock would have acted [s]."""
CLOUD = np.array([[60, 120, 60], [120, 480, 120], [60, 120, 60]])


def photon_frame(times=1):
    """Return a frame with 25 photons of 1200 ADU; `times` of them in one place each."""
    frame = np.full(SHAPE, 100, np.uint16)
    for y in range(20, 240, 45):
        for x in range(20, 240, 45):
            frame[y - 1 : y + 2, x - 1 : x + 2] += (times * CLOUD).astype(np.uint16)
    return frame


@pytest.fixture
def balor(tmp_path):
    with balor_server(tmp_path) as address:
        yield tango.DeviceProxy(address), address


@pytest.fixture
def play(tmp_path, pipeline, balor):
    """Give a function that starts a device beside the Balor; the settings are for photons."""
    with ExitStack() as stack:

        def start():
            addresses = Addresses.from_ready_info(pipeline)
            properties = addresses.properties | {"BalorDevice": balor[1]}
            address = stack.enter_context(serving(tmp_path / "memory.txt", properties))
            player = stack.enter_context(ScanPlayer({**pipeline, "device": address}))
            wait_for(lambda: player.device.state() != DevState.UNKNOWN, player.device.status)
            player.write(PhotonRoi='{"x": 0, "y": 0, "width": 256, "height": 256}')
            return player

        yield start


def scan(player, folder, name, frames):
    (folder / "raw").mkdir(exist_ok=True)
    burst = BurstScan(steps=1, burst=len(frames))
    player.prepare("andor3_balor", burst, records=False)
    player.play("andor3_balor", frames, burst, records=False, filename=str(folder / "raw" / name))
    player.wait_finished()


def test_save_raw_through_trust_and_its_loss(play, balor, tmp_path):
    camera, _ = balor
    player = play()
    device = player.device
    wait_for(lambda: device.read_attribute("SaveRaw").value is True)

    error = refusal(device.write_attribute, "SaveRaw", False)
    assert error.reason == "Femtomax_NotTrusted"
    assert "SaveRaw stays true" in error.desc
    assert camera.SaveRaw

    scan(player, tmp_path, "good.h5", [photon_frame()] * 8)
    assert device.PhotonCount == 200
    assert device.Trusted, device.TrustReason
    assert device.PhotonFile.endswith("process/good_xye.h5")
    device.SaveRaw = False
    assert not camera.SaveRaw
    wait_for(lambda: device.read_attribute("SaveRaw").value is False)
    stays(lambda: not camera.SaveRaw, "trust holds, nothing is taken back", LONG_ENOUGH)

    scan(player, tmp_path, "piled.h5", [photon_frame(2)] * 8)
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: device.state() == DevState.ALARM)
    wait_for(lambda: "neither raw data nor trusted photons" in device.status())
    assert device.SaveRaw
    assert refusal(device.write_attribute, "SaveRaw", False).reason == "Femtomax_NotTrusted"


def test_a_device_that_starts_takes_raw_saving_back_unless_trust_holds(play, balor, tmp_path):
    camera, _ = balor
    camera.SaveRaw = False
    player = play()
    wait_for(lambda: camera.SaveRaw)
    wait_for(lambda: "switched on again" in player.device.status())
    scan(player, tmp_path, "good.h5", [photon_frame()] * 8)

    def stays_off_over_an_init() -> bool:
        player.device.SaveRaw = False
        assert not camera.SaveRaw
        player.device.Init()
        wait_for(lambda: player.device.state() in (DevState.ON, DevState.ALARM))
        time.sleep(LONG_ENOUGH)
        return not camera.SaveRaw

    # A busy machine may need longer than the interlock waits to reach the pipeline again.
    wait_for(stays_off_over_an_init, "an Init that leaves SaveRaw alone while trust holds")


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
