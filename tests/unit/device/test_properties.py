from types import SimpleNamespace

import pytest

from femtotango.component.roi_slots import EMPTY
from femtotango.device.properties import Properties, slots_to_keep

GOOD = {
    "ControllerUrl": "http://localhost:5000",
    "ReducerUrl": " http://reducer.example:5001/ ",
    "SardanaUrl": "",
    "BalorDevice": "a/b/c",
    "UpdateRate": 5.0,
    "OutputFolder": "/data",
    "KeptQValues": [1.5],
    "KeptRoiSlots": [],
}


def read(**changes):
    return Properties.read(SimpleNamespace(**GOOD | changes))


def test_good_properties():
    properties = read()
    assert properties.errors == ()
    assert properties.addresses.reducer == "http://reducer.example:5001/"
    assert properties.q_values == (1.5,)
    assert properties.roi_slots == EMPTY


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ControllerUrl", ""),
        ("ControllerUrl", "localhost:5000"),
        ("ReducerUrl", "http://"),
        ("ReducerUrl", "http://host:notaport"),
        ("SardanaUrl", "ftp://host"),
        ("UpdateRate", 0.0),
        ("UpdateRate", float("nan")),
        ("UpdateRate", 1e9),
    ],
)
def test_what_cannot_work_is_named_with_its_value(name, value):
    (error,) = read(**{name: value}).errors
    assert name in error
    assert repr(value) in error or f"{value:g}" in error


def test_a_rate_that_cannot_work_is_replaced():
    assert read(UpdateRate=-1.0).update_rate == 5.0


def test_replay_serves_both_with_one_address():
    assert read(ReducerUrl="http://localhost:5000/").addresses.replay
    assert not read().addresses.replay


def test_slots_are_kept_with_the_free_ones():
    slots = ("a", "", "b", "", "", "", "", "")
    assert "" not in slots_to_keep(slots)
    assert read(KeptRoiSlots=slots_to_keep(slots)).roi_slots == slots
