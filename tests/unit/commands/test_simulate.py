"""What a simulation refuses before it begins."""

import json
import math
import signal
import threading

import pytest
import zmq
from rich.console import Console

from femtotango.commands.simulate import Simulation, check_web_url, prepare, send_frames
from femtotango.simulation.detector_socket import PushSource
from femtotango.stack.errors import ConfigError, PortError
from femtotango.stack.ports import Ports
from pipeline.simulation.scan import BurstScan


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"streams": ("eiger",)}, "Stream 'eiger': use pilatus"),
        ({"streams": ("pilatus", "pilatus")}, "'pilatus': it is named twice"),
        ({"streams": ("pilatus", "sardana"), "urls": ("a",)}, "2 streams and 1 --url"),
        ({"streams": ("pilatus", "balor-device")}, "balor-device runs alone"),
        ({"scan": BurstScan(steps=0)}, "0 steps of 6 frames: at least 1"),
        ({"scan": BurstScan(burst=-1)}, "5 steps of -1 frames: at least 1"),
        ({"scan": BurstScan(fluctuation=1.5)}, "fluctuation 1.5: give 0 … 1"),
        ({"polarization": -2.0}, "polarization -2.0: give -1 … 1"),
        ({"compression": "zip"}, "compression 'zip': use none or bslz4"),
        ({"rate": -1.0}, "rate -1"),
        ({"rate": math.nan}, "rate nan"),
        ({"rate": math.inf}, "rate inf"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_what_cannot_be_sent_is_said_at_once(settings, text):
    with pytest.raises(ConfigError, match=text):
        Simulation(**{"streams": ("pilatus",), "urls": ("",), "scan": BurstScan(), **settings})


@pytest.mark.parametrize("url", ["", "tcp://x:1", "http://", "http://a:b", "http://a:70000"])
def test_addresses_that_are_none_are_said(url):
    with pytest.raises(ConfigError, match="listens at http://HOST:PORT"):
        check_web_url(url)


def test_an_address_is_taken():
    check_web_url("http://127.0.0.1:8080")


def test_a_series_that_is_interrupted_ends():
    with Ports() as ports:
        url = f"tcp://127.0.0.1:{ports.new()}"
    kinds = []

    def take():
        with zmq.Context() as context, context.socket(zmq.PULL) as socket:
            socket.connect(url)
            while kinds[-1:] != ["series_end"] and socket.poll(20_000):
                kinds.append(json.loads(socket.recv_multipart()[0])["htype"])
                if len(kinds) == 3:
                    signal.raise_signal(signal.SIGINT)

    taker = threading.Thread(target=take)
    # Processes that share the tests ignore it.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    taker.start()
    scan = BurstScan(steps=100, burst=10)
    try:
        with pytest.raises(KeyboardInterrupt):
            send_frames(Simulation(("pilatus",), (url,), scan), Console(quiet=True))
    finally:
        signal.signal(signal.SIGINT, handler)
    taker.join()
    assert kinds[:2] == ["header", "image"] and kinds[-1] == "series_end"
    assert len(kinds) < 100


def test_no_scan_is_prepared_for_a_detector_whose_address_is_taken(tmp_path):
    ready = tmp_path / "ready.json"
    with Ports() as ports:
        url = f"tcp://127.0.0.1:{ports.new()}"
    ready.write_text(json.dumps({"streams": {"pilatus": url}, "sardana": "http://a", "device": ""}))
    with PushSource(url), pytest.raises(PortError, match="cannot be bound"):
        prepare(ready, ("pilatus", "sardana"), BurstScan())
