"""The device in a Tango database: registered, found by name, and remembered."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import tango
from support.server_process import running_server, takes_requests
from support.waiting import wait_for

import tango_db
from femtotango.stack.ports import Ports
from femtotango.stack.tango_client import database_answers
from tango_db.register import RegisterError, forget_properties, register


@pytest.fixture(scope="module")
def tango_host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("database")
    with Ports() as ports:
        host = f"127.0.0.1:{(port := ports.new())}"
        command = [sys.executable, "-m", "databaseds.database"]
        command += ["--host", "127.0.0.1", "--port", str(port), "2"]
        environment = {"PYTANGO_DATABASE_NAME": str(folder / "tango.db")}
        ready = partial(database_answers, host)
        with running_server(command, folder / "log.txt", ready, environment):
            yield host


@contextmanager
def server(instance, tango_host, folder):
    log = folder / "device.log"
    command = [sys.executable, "-m", "femtotango.device", instance]
    command += ["-ORBendPoint", "giop:tcp:127.0.0.1:"]
    environment = {"TANGO_HOST": tango_host}
    with running_server(command, log, lambda: takes_requests(log), environment):
        yield


def connect(tango_host, name):
    return tango.DeviceProxy(f"tango://{tango_host}/{name}")


def test_registering_twice_changes_nothing(tango_host):
    given = {"instance": "one", "device": "test/one/1", "alias": "one", "tango_host": tango_host}
    first = register(properties={"ReducerUrl": "http://localhost:1"}, **given)
    assert "device test/one/1 in server FemtomaxAnalysis/one" in first
    assert "alias one" in first
    assert "property ReducerUrl = http://localhost:1" in first
    assert register(properties={"ReducerUrl": "http://localhost:1"}, **given) == []
    assert register(**given) == [], "what stands there stays"
    changed = register(properties={"ReducerUrl": "http://localhost:2"}, **given)
    assert changed == ["property ReducerUrl = http://localhost:2"]


def test_registering_and_dsconfig_enter_the_same(tango_host):
    register(tango_host=tango_host)
    config = Path(tango_db.__file__).with_name("femtomax.json")
    done = subprocess.run(
        [Path(sys.executable).with_name("json2tango"), "--write", "--update", config],
        env={**os.environ, "TANGO_HOST": tango_host},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"device": "no name"}, "form a/b/c"),
        ({"tango_host": "nowhere"}, "expected host:port"),
        ({"tango_host": "127.0.0.1:1"}, "does the database run"),
    ],
)
def test_what_cannot_be_registered_is_explained(given, said):
    with pytest.raises(RegisterError, match=said):
        register(**given)


def properties_of(tango_host, device):
    database = tango.Database(*tango_host.split(":"))
    names = list(database.get_device_property_list(device, "*"))
    return {name: list(database.get_device_property(device, name)[name]) for name in names}


def servers(tango_host):
    return list(tango.Database(*tango_host.split(":")).get_server_list("FemtomaxAnalysis/*"))


def test_a_second_device_is_entered_wholly_or_not_at_all(tango_host):
    register("three", "test/three/1", "three", tango_host=tango_host)
    before = servers(tango_host)
    second = {"instance": "four", "device": "test/three/2", "tango_host": tango_host}
    with pytest.raises(RegisterError, match=r"Nothing was .* alias three belongs to test/three/1"):
        register(alias="three", **second)
    assert servers(tango_host) == before
    assert properties_of(tango_host, "test/three/2") == {}
    assert register(alias="", **second)[0] == "device test/three/2 in server FemtomaxAnalysis/four"


def test_a_device_is_moved_only_when_asked(tango_host):
    name = "test/five/1"
    register("five", name, "", tango_host=tango_host)
    with pytest.raises(RegisterError, match="belongs to the server FemtomaxAnalysis/five"):
        register("six", name, "", {"ReducerUrl": "http://moved:1"}, tango_host)
    assert properties_of(tango_host, name)["ReducerUrl"] == ["http://localhost:5001"]
    (moved,) = register("six", name, "", tango_host=tango_host, move=True)
    assert moved.endswith("in server FemtomaxAnalysis/six, not in FemtomaxAnalysis/five any more")
    database = tango.Database(*tango_host.split(":"))
    assert database.get_device_info(name).ds_full_name == "FemtomaxAnalysis/six"
    assert name not in list(database.get_device_class_list("FemtomaxAnalysis/five"))


def test_properties_are_forgotten_unless_somebody_has_changed_them(tango_host):
    name = "test/seven/1"
    given = {"OutputFolder": "/data", "BalorDevice": "a/b/c"}
    register("seven", name, "", given, tango_host)
    register("seven", name, "", {"BalorDevice": "changed/by/hand"}, tango_host)
    done = forget_properties(name, {**given, "Unknown": "x"}, tango_host)
    assert done == ["property OutputFolder deleted"]
    left = properties_of(tango_host, name)
    assert left["BalorDevice"] == ["changed/by/hand"]
    assert "OutputFolder" not in left


def test_settings_come_back_after_a_restart(tango_host, tmp_path, nowhere):
    name = "test/two/1"
    register("two", name, "two", nowhere, tango_host)
    with server("two", tango_host, tmp_path):
        device = connect(tango_host, name)
        device.Background = 61.5
        device.WritePhotons = False
        device.QValues = [1.25, 3.5]
        device.MaxFilter = True
        for roi in ("a", "b", "c"):
            device.AddRoi(json.dumps({"name": roi, "x": 1, "y": 2, "width": 3, "height": 4}))
        device.RemoveRoi("a")
        device.StartAccumulation()
        database = tango.Database(*tango_host.split(":"))

        def kept():
            settings = database.get_device_attribute_property(name, ["Rois", "Accumulate"])
            return (
                '"c"' in "".join(settings["Rois"].get("__value", []))
                and '"a"' not in "".join(settings["Rois"]["__value"])
                and list(settings["Accumulate"].get("__value", [])) == ["true"]
            )

        wait_for(kept)
    with server("two", tango_host, tmp_path):
        device = tango.DeviceProxy(f"tango://{tango_host}/two")
        assert device.Background == 61.5
        assert not device.WritePhotons
        assert device.Accumulate
        assert device.MaxFilter
        assert device.QValues.tolist() == [1.25, 3.5]
        assert list(json.loads(device.Rois)) == ["b", "c"]
        assert device.read_attribute("Rois").w_value == device.Rois
