import json

import pytest

from femtotango.component.scan_request import (
    DEFAULT_TIMEOUT,
    ScanRequest,
    cameras_in,
    check_streams,
    parse_request,
)
from femtotango.errors import BadRequest, UnknownStream
from pipeline.model.cameras import CAMERAS


def request(**changes):
    return json.dumps({"streams": ["pilatus", "sardana"], "steps": 5, "burst": 6, **changes})


def test_streams_steps_and_burst():
    assert parse_request(request()) == ScanRequest(("pilatus",), 5, 6, records=True)
    assert not parse_request(request(streams=["andor3_balor"])).records
    assert parse_request(request()).timeout == DEFAULT_TIMEOUT
    assert parse_request(request(timeout=3)).timeout == 3.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "Expected an object"),
        ("[" * 100_000, "not JSON"),
        (f'{{"streams": ["pilatus"], "steps": {"9" * 5000}, "burst": 1}}', "not JSON"),
        (request(streams="pilatus"), "list of names"),
        (request(streams=[1]), "list of names"),
        (request(streams=["sardana"]), "is needed"),
        (request(steps=0), "steps = 0"),
        (request(steps=True), "steps = True"),
        (request(steps=2.5), "steps = 2.5"),
        (request(burst=None), "burst = None"),
        (request(burst=10**9), "burst = 1000000000"),
        (request(steps=10_000, burst=10_000), "100000000 frames"),
        (request(timeout=0), "timeout = 0"),
        (request(timeout="3"), "timeout = '3'"),
        (request(timeout=float("nan")), "timeout = nan"),
        (request(timeout=True), "timeout = True"),
        (request(separate_record=1), "separate_record = 1"),
        (request(exposure=1), "'exposure' is not known"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_value(text, said):
    with pytest.raises(BadRequest, match=said.replace("[", r"\[")) as raised:
        parse_request(text)
    assert raised.value.reason == "Femtomax_BadRequest"


def test_any_set_of_cameras_can_be_in_a_scan():
    assert cameras_in(["pilatus", "sardana", "andor3_balor"]) == ("pilatus", "andor3_balor")
    assert parse_request(request(streams=list(CAMERAS))).cameras == tuple(CAMERAS)


def test_a_camera_named_twice_is_one():
    assert cameras_in(["pilatus", "pilatus"]) == ("pilatus",)


def test_unknown_stream_names_what_exists():
    with pytest.raises(UnknownStream, match=r"'eiger' is no stream; there are pilatus"):
        cameras_in(["eiger"])
    with pytest.raises(UnknownStream, match=r"brings sardana; there are pilatus"):
        check_streams(["pilatus", "sardana"], frozenset({"pilatus"}))
    with pytest.raises(UnknownStream, match="there are none"):
        check_streams(["pilatus"], frozenset())
    check_streams(["pilatus"], frozenset({"pilatus", "sardana"}))
