"""Raw data are saved again when the disk of the photon file fails."""

import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from support.client_side import refusal
from support.disks import NoDisk, disk_that_can_hang, hanging, small_disk
from support.raw_data import (
    MANY,
    STREAM,
    Series,
    drop_raw_data,
    prepare,
    saved_again,
)
from support.waiting import wait_for
from tango import DevState

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


@pytest.fixture
def player(play):
    return play()


def photon_file(player) -> Path:
    """Return the photon file; the permission may be there before its name is shown."""
    return Path(player.wait_until("PhotonFile", bool))


def test_a_photon_file_that_is_deleted(player, balor, raw):
    prepare(player, MANY)
    with Series(player.source(STREAM), raw / "deleted.h5"):
        drop_raw_data(player.device)
        photon_file(player).unlink()
        lost_by_the_disk(player, balor[0])


def test_a_disk_that_hangs(player, balor, raw, can_hang):
    prepare(player, MANY)
    with Series(player.source(STREAM), raw / "hangs.h5"):
        drop_raw_data(player.device)
        assert photon_file(player).is_relative_to(can_hang)
        with hanging(can_hang):
            lost_by_the_disk(player, balor[0])


def test_a_disk_that_fills_up(player, balor, raw, full_soon):
    prepare(player, MANY)
    with Series(player.source(STREAM), raw / "full.h5", rate=20):
        drop_raw_data(player.device)
        assert photon_file(player).is_relative_to(full_soon)
        with suppress(OSError):
            (full_soon / "others").write_bytes(bytes(8_000_000))
        lost_by_the_disk(player, balor[0])


def test_a_folder_that_becomes_read_only(player, balor, raw, full_soon):
    prepare(player, 40)
    with Series(player.source(STREAM), raw / "first.h5", rate=20, frames=40):
        player.wait_finished()
    subprocess.run(["mount", "-o", "remount,ro", str(full_soon)], check=True)
    prepare(player, MANY)
    with Series(player.source(STREAM), raw / "second.h5"):
        # Before the file is tried, a busy machine may give other reasons, and they pass.
        wait_for(lambda: "Read-only" in player.read("TrustReason"), player.device.status)
        wait_for(lambda: player.device.state() == DevState.ALARM, player.device.status)
        assert refusal(player.device.write_attribute, "SaveRaw", False)
        assert balor[0].SaveRaw
        player.device.StopScan()
    player.wait_finished()


def lost_by_the_disk(player, camera):
    saved_again(player, camera)
    wait_for(lambda: player.device.UnsafeFrames.endswith("-"), player.device.status)
    assert player.read("PhotonCount") > 0, "photons stay counted"
    player.device.StopScan()
    player.wait_finished()


@pytest.fixture
def full_soon(raw):
    """Mount a disk of 4 MB where the photon files go."""
    yield from mounted(small_disk, raw.parent / "process")


@pytest.fixture
def can_hang(raw):
    """Mount a disk that can hang where the photon files go."""
    yield from mounted(disk_that_can_hang, raw.parent / "process")


def mounted(disk, folder):
    with ExitStack() as stack:
        try:
            stack.enter_context(disk(folder))
        except NoDisk as error:
            pytest.skip(str(error))
        yield folder
