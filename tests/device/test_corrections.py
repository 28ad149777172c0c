"""Dark level and mask through the device, on a whole stack."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.client_side import refusal
from support.waiting import wait_for

from pipeline.simulation.scan import BurstScan

ZYLA = "andor3_zyla12"
SHAPE = (40, 60)
FIXED = np.round(90 + 8 * np.random.default_rng(7).random(SHAPE), 2)
BAD = np.zeros(SHAPE, bool)
BAD[4:7, 10] = True
SPOT = np.zeros(SHAPE)
SPOT[20:23, 30:33] = 500


def frames(number: int, light: np.ndarray | float = 0.0) -> list[np.ndarray]:
    random = np.random.default_rng(number)
    return [
        np.round(FIXED + light + random.normal(0, 1.5, SHAPE)).astype(np.uint16)
        for _ in range(number)
    ]


def scan(player, images: list[np.ndarray]) -> None:
    burst = BurstScan(steps=1, burst=len(images))
    player.prepare(ZYLA, burst)
    player.play(ZYLA, images, burst)
    player.wait_finished()


@pytest.fixture
def zyla(player, tmp_path: Path):
    player.write(Camera=ZYLA, Accumulate=True, CmosThreshold=0.0)
    yield player
    for command in ("ClearDark", "ClearMask"):
        player.device.command_inout(command)
    player.write(MaskNoise=0.0, Camera="")


def test_a_dark_level_is_taken_while_a_scan_runs_and_used_from_then_on(zyla, tmp_path) -> None:
    device = zyla.device
    failed = device.FailedFrames
    burst = BurstScan(steps=1, burst=40)
    zyla.prepare(ZYLA, burst)
    device.TakeDark(20)
    assert device.DarkProgress == 0
    assert "0 of 20 frames" in device.status()
    # Slowly: on a busy machine a worker may take up the request a few frames later.
    zyla.play(ZYLA, frames(40), burst, rate=40.0)
    zyla.wait_finished()
    assert device.FailedFrames == failed
    wait_for(lambda: device.DarkProgress == 1 and device.Dark)
    named = json.loads(device.Dark)[ZYLA]
    with h5py.File(named["file"]) as file:
        np.testing.assert_allclose(file["entry/calibration/offset"][()], FIXED, atol=2)
        assert file["entry/calibration/frames"][()] == 20

    device.ResetAccumulation()
    lit = frames(10, SPOT)
    scan(zyla, lit)
    image = device.AccumulatedImage
    assert image[SPOT > 0].mean() == pytest.approx(5000, rel=0.01)
    # What is above 0 of the noise: 10 frames of half a Gaussian, whatever the pixel's own level.
    level = FIXED[SPOT == 0]
    assert np.corrcoef(image[SPOT == 0], level)[0, 1] < 0.2
    assert json.loads(device.GetLedger())["dark"] == named
    path = tmp_path / "image.h5"
    device.SaveImage(str(path))
    with h5py.File(path) as file:
        assert file["entry/instrument/detector/dark_file"].asstr()[()] == named["file"]
        assert json.loads(file["entry/settings/dark"].asstr()[()])[ZYLA] == named

    device.Init()
    assert json.loads(device.Dark)[ZYLA] == named
    device.ClearDark()
    assert device.Dark == ""


def test_a_mask_is_seen_in_image_means_ledger_and_file(zyla, tmp_path) -> None:
    device = zyla.device
    np.save(tmp_path / "bad.npy", BAD)
    scan(zyla, frames(2, 50.0))
    device.AddRoi(json.dumps({"name": "all", "x": 0, "y": 0, "width": 60, "height": 40}))
    device.LoadMask(str(tmp_path / "bad.npy"))
    hot = np.where(BAD, 60_000, 50.0)
    device.ResetAccumulation()
    scan(zyla, frames(2, hot))
    image = device.AccumulatedImage
    np.testing.assert_array_equal(np.isnan(image), BAD)
    assert device.RoiMeans[0] == pytest.approx(np.nanmean(image) / 2, rel=0.05)
    mask = json.loads(device.GetLedger())["mask"]
    assert mask["file"] == str(tmp_path / "bad.npy")
    device.SaveImage(str(tmp_path / "image.h5"))
    with h5py.File(tmp_path / "image.h5") as file:
        detector = file["entry/instrument/detector"]
        assert detector["mask_file"].asstr()[()] == mask["file"]
        np.testing.assert_array_equal(detector["pixel_mask"][()] != 0, BAD)
    # Its own file is a mask too.
    device.LoadMask(str(tmp_path / "image.h5"))
    assert json.loads(device.Mask)[ZYLA]["sha256"] == mask["sha256"]
    device.ClearMask()
    assert device.Mask == ""


def test_what_cannot_be_done_is_refused(zyla, tmp_path) -> None:
    device = zyla.device
    scan(zyla, frames(1))
    np.save(tmp_path / "small.npy", np.zeros((3, 3)))
    np.save(tmp_path / "all.npy", np.ones(SHAPE))
    assert "does not fit" in refusal(device.LoadMask, str(tmp_path / "small.npy")).desc
    assert "all pixels" in refusal(device.LoadMask, str(tmp_path / "all.npy")).desc
    assert refusal(device.LoadMask, str(tmp_path / "none.npy")).reason == "Femtomax_BadPath"
    assert "3 …" in refusal(device.TakeDark, 2).desc or "3 ..." in refusal(device.TakeDark, 2).desc
    assert device.Mask == device.Dark == ""
