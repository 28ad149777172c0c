"""`femtotango simulate` in front of a real stack, and what it refuses."""

import json
import subprocess
import sys
from contextlib import ExitStack

import pytest
import zmq
from support.command_line import run_here
from support.waiting import PATIENCE, wait_for

from femtotango.stack.ports import Ports
from pipeline.protocols.stins import StinsEnd, StinsFrame, StinsHeader, parse
from pipeline.simulation.scan import BurstScan, detector_frames

pytestmark = pytest.mark.slow


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "femtotango.cli", "simulate", *arguments]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.fixture
def url():
    with Ports() as ports:
        yield f"tcp://127.0.0.1:{ports.new()}"


def test_a_series_arrives_as_it_was_ordered(url):
    options = ["--url", url, "--frames", "3", "--rate", "0", "--seed", "5"]
    options += ["--filename", "/data/raw/x.h5", "--compression", "bslz4"]
    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        socket.connect(url)
        with subprocess.Popen(command("pilatus", *options), stdout=subprocess.DEVNULL) as process:
            messages = [parse(socket.recv_multipart()) for _ in range(5)]
            assert process.wait(PATIENCE) == 0
    header, *frames, end = messages
    assert isinstance(header, StinsHeader)
    assert header.filename == "/data/raw/x.h5"
    assert header.camera["save_raw"] is True
    assert isinstance(end, StinsEnd)
    truth = list(detector_frames("pilatus", 5, BurstScan(1, 3).frame_positions))
    for number, (frame, image) in enumerate(zip(frames, truth, strict=True)):
        assert isinstance(frame, StinsFrame)
        assert frame.frame == number
        assert (frame.image == image).all()


def test_several_cameras_see_the_same_shots():
    cameras = ("pilatus", "andor3_zyla12")
    with Ports() as ports, ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        options = ["--frames", "3", "--rate", "0", "--filename", "/data/raw/x.h5"]
        sockets = []
        for _ in cameras:
            url = f"tcp://127.0.0.1:{ports.new()}"
            options += ["--url", url]
            sockets.append(stack.enter_context(context.socket(zmq.PULL)))
            sockets[-1].connect(url)
        line = command(*cameras, *options)
        process = stack.enter_context(subprocess.Popen(line, stdout=subprocess.DEVNULL))
        for camera, socket in zip(cameras, sockets, strict=True):
            header, *frames, end = [parse(socket.recv_multipart()) for _ in range(5)]
            assert isinstance(header, StinsHeader)
            assert header.filename == f"/data/raw/x_{camera}.h5"
            assert isinstance(end, StinsEnd)
            truth = detector_frames(camera, 0, BurstScan(1, 3).frame_positions)
            for number, (frame, image) in enumerate(zip(frames, truth, strict=True)):
                assert isinstance(frame, StinsFrame)
                assert frame.frame == number
                assert (frame.image == image).all()
        assert process.wait(PATIENCE) == 0


def test_detector_and_sardana_play_a_scan(player):
    player.write(Accumulate=True)
    player.prepare("pilatus", BurstScan(steps=3, burst=2))
    scan = ["--steps", "3", "--burst", "2", "--rate", "20"]
    sardana = command("sardana", "--url", player.info["sardana"], *scan)
    with subprocess.Popen(sardana, stdout=subprocess.DEVNULL) as records:
        detector = run("pilatus", "--url", player.info["streams"]["pilatus"], *scan)
        assert detector.returncode == 0, detector.stderr
        assert records.wait(PATIENCE) == 0
    player.wait_finished()
    assert player.read("FrameCount") == 6
    assert player.read("XAxis").tolist() == [1.0, 1.5, 2.0]


def test_the_balor_device_says_its_address():
    line = command("balor-device")
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().rpartition(" ")[2].strip()
        assert address.startswith("tango://127.0.0.1:")
        read = "import sys, tango; d = tango.DeviceProxy(sys.argv[1]); d.SaveRaw = False; "
        read += "print(d.SaveRaw)"

        def answer() -> str:
            return subprocess.run(
                [sys.executable, "-c", read, address], capture_output=True, text=True, check=False
            ).stdout.strip()

        assert wait_for(answer, "the device answers") == "False"
        process.terminate()
        process.wait(PATIENCE)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["eiger"], "Stream 'eiger': use pilatus"),
        (["pilatus"], "a detector binds at tcp://HOST:PORT"),
        (["sardana", "--url", "tcp://x:1"], "listens at http://HOST:PORT"),
        (["sardana", "--url", "http://127.0.0.1:9"], "does not take records"),
        (["pilatus", "--steps", "0", "--url", "tcp://127.0.0.1:9999"], "at least 1 of each"),
        (["pilatus", "--compression", "zip"], "compression 'zip': use none or bslz4"),
        (["pilatus", "sardana", "--url", "tcp://127.0.0.1:9999"], "2 streams and 1 --url"),
        (["pilatus", "--url", "tcp://127.0.0.1:70000"], "PORT from 1 to 65535"),
        (["balor-device", "--url", "here"], "binds at tcp://HOST:PORT"),
    ],
)
def test_what_cannot_be_done_is_said(arguments, sentence):
    result = run_here("simulate", *arguments)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_an_address_in_use_is_named(url):
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.bind(url)
        result = run("pilatus", "--url", url, "--frames", "1")
    assert result.returncode == 1
    assert f"{url} cannot be bound" in result.stderr


def test_a_ready_file_has_the_addresses_and_lets_the_scan_be_prepared(player, tmp_path):
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps({k: v for k, v in player.info.items() if k != "pid"}))
    player.write(Accumulate=True)
    options = ["--ready-file", str(ready), "--steps", "2", "--burst", "2", "--rate", "0"]
    done = run("pilatus", "sardana", *options)
    assert done.returncode == 0, done.stderr
    player.wait_finished()
    assert player.read("FrameCount") == 4 and len(player.read("XAxis")) == 2

    refused = run("pilatus", "sardana", "--ready-file", str(tmp_path / "none.json"))
    assert refused.returncode != 0 and "no stack is ready there" in refused.stderr
