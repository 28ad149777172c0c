"""What a simulation refuses before it begins."""

import math

import pytest

from femtotango.commands.simulate import Simulation, check_web_url
from femtotango.stack.errors import ConfigError
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
