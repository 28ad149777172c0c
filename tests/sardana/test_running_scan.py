import json
from types import SimpleNamespace

import pytest

from femtotango.sardana.access import COMMAND_TIMEOUT, FemtomaxError
from femtotango.sardana.running_scan import (
    ScanRequest,
    burst_of,
    cameras_in,
    points_of,
    streams_from,
)


def scan(**attributes: object) -> SimpleNamespace:
    return SimpleNamespace(getName=lambda: "ascan", **attributes)


def test_request_has_streams_numbers_and_the_timeout():
    request = json.loads(ScanRequest(("pilatus", "sardana"), 5, 6).to_json())
    assert request == {
        "streams": ["pilatus", "sardana"],
        "steps": 5,
        "burst": 6,
        "timeout": COMMAND_TIMEOUT / 1000,
    }


@pytest.mark.parametrize(
    ("channel", "stream"),
    [
        (("pilatus_ctrl_1", "pilatus", "expchan/pilatus_ctrl/1"), "pilatus"),
        (("det", "det", "expchan/andor3_Zyla10_ctrl/1"), "andor3_zyla10"),
        (("zyla12", "zyla12", "expchan/cam/2"), "andor3_zyla12"),
        (("balor_simulator", "", ""), "andor3_balor"),
    ],
)
def test_channel_names_tell_the_camera(channel, stream):
    assert cameras_in([("timer", "timer", "expchan/timer/1"), channel]) == (stream,)


def test_group_without_camera_has_none():
    assert cameras_in([("timer", "timer", "x"), ("roi1", "roi1", "y")]) == ()


@pytest.mark.parametrize(
    "value", ["pilatus, sardana", ["Pilatus", "sardana"], ("pilatus", "sardana")]
)
def test_streams_as_a_user_writes_them(value):
    assert streams_from(value) == ("pilatus", "sardana")


def test_short_names_of_streams_are_understood():
    assert streams_from("balor") == ("andor3_balor",)


@pytest.mark.parametrize("value", ["eiger", 5, [3]])
def test_what_is_no_stream_is_named(value):
    with pytest.raises(FemtomaxError, match=r"eiger|5|3"):
        streams_from(value)


def test_points_come_from_the_macro_or_its_intervals():
    assert points_of(scan(nb_points=11), {}) == 11
    assert points_of(scan(), {"total_scan_intervals": 4}) == 5


@pytest.mark.parametrize("intervals", [None, -3, 0])
def test_scan_of_unknown_length_is_refused(intervals):
    with pytest.raises(FemtomaxError, match="does not tell its number of points"):
        points_of(scan(), {"total_scan_intervals": intervals})


def test_endless_scan_is_refused():
    with pytest.raises(FemtomaxError, match="does not tell its number of points"):
        points_of(scan(nb_points=float("inf")), {})


def test_burst_comes_from_attribute_then_parameter_then_variable():
    assert burst_of(scan(burst=6), [("nb_frames", 3)], 2) == 6
    assert burst_of(scan(), [("motor", "m"), ("nb_frames", 3)], 2) == 3
    assert burst_of(scan(), [("motor", "m")], 2) == 2
    assert burst_of(scan(), [], None) == 1


@pytest.mark.parametrize("variable", [0, -1, "six"])
def test_bad_number_of_frames_is_refused(variable):
    with pytest.raises(FemtomaxError, match="expected 1 or more"):
        burst_of(scan(), [], variable)
