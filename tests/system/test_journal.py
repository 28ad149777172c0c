"""The reducer and the whole stack are killed while they accumulate, and go on where they were."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tango
from support.killing import processes
from support.repeats import repeats
from support.waiting import PATIENCE, wait_for

from femtotango.dranspose_client.reducer import Reducer
from femtotango.errors import PipelineError
from femtotango.simulation.beamline import ScanPlayer
from pipeline.model.frame_ranges import FrameRanges
from pipeline.protocols.published_paths import ACCUMULATED_NUMBER, SNAPSHOT
from pipeline.protocols.snapshot import Published
from pipeline.protocols.tree import read_group
from pipeline.simulation.balor import stream_balor_frames
from pipeline.simulation.scan import BurstScan

pytestmark = pytest.mark.slow

SHAPE = (60, 80)
RATE = 40.0
"""Frames per second."""
ONE = BurstScan(steps=1, burst=1)
CONFIG = '[streams]\npilatus = ""\nandor3_balor = ""\n'


def pilatus(number: int) -> np.ndarray:
    """A frame that says in its pixels which one it is."""
    frame = np.zeros(SHAPE, np.float32)
    frame.reshape(-1)[number % frame.size] = 1 + number // frame.size
    frame[-1, -1] = -1
    return frame


class Detector:
    """Sends frames one after the other until they are all, or it is told to end."""

    def __init__(self, player: ScanPlayer, stream: str, frames: Iterator[np.ndarray], **play: Any):
        self.sent = 0
        self._end = threading.Event()
        self._thread = threading.Thread(
            target=player.play,
            args=(stream, self._until_end(frames), ONE),
            kwargs={"records": False, "rate": RATE, "sent": self._count, **play},
        )

    def __enter__(self) -> "Detector":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def _until_end(self, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        for frame in frames:
            if self._end.is_set():
                return
            yield frame

    def _count(self, sent: int) -> None:
        self.sent = sent

    def end(self) -> int:
        """End the series, and return how many frames it has."""
        self._end.set()
        return self.wait()

    def wait(self) -> int:
        """Wait until all frames are sent, and return how many these are."""
        self._thread.join()
        return self.sent


def count_of(reducer: Reducer) -> int:
    try:
        return int(reducer.scalar(ACCUMULATED_NUMBER))
    except PipelineError:
        return -1


def kill_reducer(info: dict[str, Any], reducer: Reducer, detector: Detector) -> dict[str, float]:
    """SIGKILL the reducer; return what its successor has, and how long that took."""
    (pid,) = [p for p, line in processes(info).items() if "dranspose.reducer" in line]
    before = count_of(reducer)
    os.kill(pid, signal.SIGKILL)
    killed, sent = time.monotonic(), detector.sent
    after = wait_for(lambda: max(0, count_of(reducer) + 1), "the new reducer") - 1
    seconds = round(time.monotonic() - killed, 2)
    return {"sent": sent, "before": before, "after": after, "seconds": seconds}


def may_be_lost(kills: list[dict[str, float]]) -> float:
    """Return how many frames the kills may cost.

    What came in the last second, and what was on its way: on a busy machine, all that was sent and
    was not in the sum that came back.
    """
    return sum(max(2 * RATE, kill["sent"] - kill["after"] + RATE) for kill in kills)


def wait_caught_up(reducer: Reducer) -> None:
    """Wait until a new reducer has what waited for it: it takes that in at once, not at `RATE`."""

    def steady() -> bool:
        before = count_of(reducer)
        time.sleep(1.0)
        return 0 <= count_of(reducer) - before < 1.5 * RATE

    wait_for(steady, "the new reducer to catch up")


def frames_of(ledger: str) -> FrameRanges:
    ranges = [r for scan in json.loads(ledger)["scans"] for r in scan["frames"]]
    assert ranges, ledger
    return FrameRanges(ranges)


@contextmanager
def killable_up(folder: Path, config: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    ready = folder / "ready.json"
    line = [sys.executable, "-m", "femtotango.cli", "up", "--config", str(config)]
    line += ["--ready-file", str(ready), "--state", str(folder / "state")]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as up:
        try:
            # One that a killed stack has left is removed at the start.
            wait_for(lambda: ready.exists() and _is_of(ready, up.pid), "the ready file")
            yield {**json.loads(ready.read_text()), "pid": up.pid}, up
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(PATIENCE)
            ready.unlink(missing_ok=True)


def _is_of(ready: Path, pid: int) -> bool:
    return ready.stat().st_mtime >= Path(f"/proc/{pid}").stat().st_mtime


def check_sum(player: ScanPlayer, sent: int, lost_before: int = 0) -> int:
    """Check the sum against its ledger; return how many frames are missing."""
    frames = frames_of(player.device.GetLedger())
    assert player.read("FrameCount") == frames.count
    image = np.nan_to_num(player.read("AccumulatedImage"), nan=0)
    expected = sum(np.where(pilatus(n) > 0, pilatus(n), 0).astype(float) for n in frames)
    np.testing.assert_array_equal(image, expected)
    missing = sent - frames.count
    assert player.read("FailedFrames") >= missing - lost_before
    return missing


@pytest.mark.timeout(600)
def test_the_sum_goes_on_after_each_kill(tmp_path, capsys):
    config = tmp_path / "stack.toml"
    config.write_text(CONFIG)
    rng = np.random.default_rng(12)
    told: list[dict[str, float]] = []
    with killable_up(tmp_path, config) as (info, up), ScanPlayer(info) as player:
        player.write(Accumulate=True)
        player.device.StartContinuous(["pilatus"])
        reducer = Reducer(info["reducer"])

        def standing() -> str:
            return f"{count_of(reducer)} of {detector.sent}, {told}: {player.device.status()}"

        with Detector(player, "pilatus", map(pilatus, iter(range(10**9)))) as detector:
            for _ in range(repeats(4, 10)):
                count, goal = count_of(reducer), detector.sent + int(rng.integers(20, 90))
                wait_for(lambda n=count: count_of(reducer) >= n + 10, standing)
                wait_for(lambda goal=goal: detector.sent >= goal, standing)
                told.append(kill_reducer(info, reducer, detector))
                wait_caught_up(reducer)
            lost = may_be_lost(told)
            wait_for(lambda n=detector.sent: count_of(reducer) > n - lost, standing)
            sent = detector.end()
        player.device.StopContinuous()
        wait_for(lambda: player.device.state() in (tango.DevState.ON, tango.DevState.ALARM))
        missing = check_sum(player, sent)
        failed = player.read("FailedFrames")
        with capsys.disabled():
            print(f"\n{sent} frames, missing {missing}, FailedFrames {failed}: {told}")
        assert missing <= failed <= lost
        count = player.read("FrameCount")
        time.sleep(1.5)
        up.kill()
        up.wait()
        reducer.close()
    with killable_up(tmp_path, config) as (info, _), ScanPlayer(info) as player:
        wait_for(lambda: player.read("FrameCount") == count, lambda: str(player.read("FrameCount")))
        assert player.read("Accumulate") is True
        check_sum(player, sent)
        player.prepare("pilatus", BurstScan(steps=2, burst=3))
        player.play(
            "pilatus", map(pilatus, iter(range(sent, sent + 6))), BurstScan(steps=2, burst=3)
        )
        player.wait_finished()
        assert player.read("FrameCount") == count + 6


@pytest.mark.timeout(600)
def test_the_photon_file_goes_on(tmp_path, capsys):
    config = tmp_path / "stack.toml"
    config.write_text(CONFIG)
    raw = tmp_path / "scan.h5"
    simulated = stream_balor_frames(np.random.default_rng(5), (200, 300), 3e-4)
    images = [next(simulated)[0] for _ in range(40)]
    scan = BurstScan(steps=1, burst=400)
    told = []
    with killable_up(tmp_path, config) as (info, _), ScanPlayer(info) as player:
        player.write(PhotonRoi='{"x": 0, "y": 0, "width": 300, "height": 200}', Accumulate=True)
        player.prepare("andor3_balor", scan, records=False)
        reducer = Reducer(info["reducer"])
        killed = threading.Event()
        frames = (
            images[n % len(images)] for n in range(scan.burst) if n != 300 or killed.wait(PATIENCE)
        )
        with Detector(player, "andor3_balor", frames, filename=str(raw)) as detector:
            for goal in (5, 120):
                wait_for(lambda goal=goal: count_of(reducer) >= goal, player.device.status)
                told.append(kill_reducer(info, reducer, detector))
                wait_caught_up(reducer)
            killed.set()
            assert detector.wait() == scan.burst
        wait_for(
            lambda: player.read("ScanFinished"),
            lambda: (
                f"{reducer.scalar('health/settled')} {told} {player.device.status()} "
                f"{read_group(Published, reducer.data(SNAPSHOT)).scan}"
            ),
        )
        count, failed = player.read("FrameCount"), player.read("FailedFrames")
        photons, path = player.read("PhotonCount"), Path(player.read("PhotonFile"))
        with capsys.disabled():
            print(f"\n{count} of {scan.burst} frames, FailedFrames {failed}: {told}")
        assert failed == scan.burst - count <= may_be_lost(told)
        assert [p.name for p in path.parent.iterdir()] == ["scan_xye.h5"]
        reducer.close()
    with h5py.File(path) as file:
        entry: Any = file["entry"]
        number, status = entry["frames/frame"][()], entry["frames/status"][()]
        assert sorted(number) == list(range(scan.burst)), "a row for every frame, none twice"
        in_file = int(np.count_nonzero(status == 0))
        assert count <= in_file <= count + failed
        assert len(entry["photons/energy"]) == entry["frames/photons"][()].sum() >= photons
