"""Disks that are full. That of the photon file is in `tests/device/test_save_raw_disks.py`."""

import time
from contextlib import suppress
from pathlib import Path

import pytest
import tango
from support.disks import NoDisk, small_disk
from support.outcomes import Outcome
from support.victim import NEXT, STREAM, Attempts, Detector, Victim
from support.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path):
    """Mount a disk of 4 MB."""
    folder = tmp_path / "disk"
    try:
        with small_disk(folder):
            yield folder
    except NoDisk as error:
        pytest.skip(str(error))


@pytest.fixture
def on_disk(disk, tmp_path):
    """Run a stack whose journal and sums lie on that disk."""
    lines = (
        f'[properties]\nJournalFolder = "{disk / "journal"}"\nOutputFolder = "{disk / "sums"}"\n'
    )
    (disk / "sums").mkdir()
    stack = Victim(tmp_path, lines)
    stack.start()
    yield stack
    stack.close()


def fill(folder: Path) -> Path:
    """Take all that is left on a disk."""
    others = folder / "others"
    with suppress(OSError), others.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))
    return others


def alarm(player, word: str) -> str:
    wait_for(
        lambda: player.device.state() == tango.DevState.ALARM and word in player.device.status(),
        player.device.status,
    )
    (line,) = {line for line in player.device.status().splitlines() if word in line}
    return line


def test_the_disk_of_the_journal_is_full(on_disk, disk, outcomes):
    with on_disk.player() as player:
        player.write(Accumulate=True)
        Attempts(on_disk).until_one_works(time.monotonic())
        others = fill(disk)
        since = time.monotonic()
        seconds = Attempts(on_disk).until_one_works(since)
        named = alarm(player, "journal").replace(str(disk), "…")
        others.unlink()
        wait_for(lambda: "journal" not in player.device.status(), player.device.status)
        wait_for(lambda: player.read("FrameCount") == 12, player.device.status)
        time.sleep(2.5)  # The journal has all that was summed.
        on_disk.process("reducer").kill()
        on_disk.wait_whole()
        wait_for(lambda: player.read("FrameCount") == 12, player.device.status)
    outcomes.record(Outcome("disk of the journal is full", named=named, seconds=seconds))


def test_the_disk_of_the_sums_is_full(on_disk, disk, outcomes):
    with on_disk.player() as player:
        player.write(Accumulate=True)
        Attempts(on_disk).until_one_works(time.monotonic())
        others = fill(disk)
        since = time.monotonic()
        player.write(Accumulate=False)
        seconds = scan(player, since)
        named = alarm(player, "saved").replace(str(disk), "…")
        others.unlink()
        wait_for(lambda: list((disk / "sums").rglob("*.h5")), player.device.status)
        wait_for(lambda: "saved" not in player.device.status(), player.device.status)
    outcomes.record(Outcome("disk of the ended sums is full", named=named, seconds=seconds))


def scan(player, since: float) -> float:
    """Run a scan that is only shown."""
    player.prepare(STREAM, NEXT)
    with Detector(player.info, NEXT, rate=100.0) as detector:
        detector.join()
    player.wait_finished()
    return time.monotonic() - since
