from types import SimpleNamespace

import pytest

from femtotango.device.properties import Properties

GOOD = {
    "ControllerUrl": "http://localhost:5000",
    "ReducerUrl": " http://reducer.example:5001/ ",
    "SardanaUrl": "",
    "BalorDevice": "a/b/c",
    "UpdateRate": 5.0,
    "OutputFolder": "/data",
    "AllowedFolders": ["/data", " /home/calibration ", ""],
    "KeptQValues": [1.5],
    "KeptRoiSlots": [],
    "KeptScan": [],
    "KeptRawData": [],
    "KeptSum": [],
    "KeptCameras": [],
}


def read(**changes):
    return Properties.read(SimpleNamespace(**GOOD | changes))


def test_good_properties():
    properties = read()
    assert properties.errors == ()
    assert properties.addresses.reducer == "http://reducer.example:5001/"
    assert properties.kept["KeptQValues"] == [1.5]
    assert properties.allowed_folders == ("/data", "/home/calibration")


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
        ("UpdateRate", "fast"),
    ],
)
def test_what_cannot_work_is_named_with_its_value(name, value):
    (error,) = read(**{name: value}).errors
    assert name in error
    assert str(value) in error


def test_allowed_folders_begin_at_the_root():
    (error,) = read(AllowedFolders=["/data", "process"]).errors
    assert "AllowedFolders" in error
    assert "'process'" in error


def test_a_rate_that_cannot_work_is_replaced():
    assert read(UpdateRate=-1.0).update_rate == 5.0


def test_replay_serves_both_with_one_address():
    assert read(ReducerUrl="http://localhost:5000/").addresses.replay
    assert not read().addresses.replay


def test_what_tango_could_not_read_is_said_once():
    nothing = dict.fromkeys(GOOD)
    properties = Properties.read(SimpleNamespace(**nothing), "The database does not answer.")
    assert properties.errors == ("The properties cannot be read: The database does not answer.",)
    assert properties.kept["KeptScan"] == ()
