"""The commands of a stack."""

import pytest

from femtotango.stack.config import PortNumbers, StackConfig
from femtotango.stack.ports import Ports, outward_address

DEVICE = StackConfig().device


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
