"""Addresses, from wherever they are written down."""

from femtotango.dranspose_client.addresses import Addresses

PROPERTIES = {
    "ControllerUrl": "http://one:5000",
    "ReducerUrl": " http://two:5001/ ",
    "SardanaUrl": "",
    "OutputFolder": "/data",
}
READY = {
    "device": "tango://…",
    "controller": "http://one:5000",
    "reducer": "http://two:5001/",
    "sardana": "",
    "streams": {},
}
ADDRESSES = Addresses("http://one:5000", "http://two:5001/")


def test_properties_and_ready_file_say_the_same() -> None:
    assert Addresses.from_properties(PROPERTIES) == ADDRESSES
    assert Addresses.from_ready_info(READY) == ADDRESSES
    assert Addresses.from_properties(ADDRESSES.properties) == ADDRESSES


def test_a_replay_has_one_address() -> None:
    assert not ADDRESSES.replay
    assert Addresses("http://one:5000", "http://one:5000/").replay
