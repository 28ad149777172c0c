"""The simulated Balor, as its clients see it."""

import queue
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import tango
from tango.test_context import DeviceTestContext

from femtotango.simulation.balor_device import BalorSimulator


@pytest.fixture
def balor() -> Iterator[tango.DeviceProxy]:
    with DeviceTestContext(BalorSimulator, process=True) as proxy:
        yield proxy


def test_save_raw_is_on_and_can_be_switched(balor):
    assert balor.state() == tango.DevState.ON
    reading = balor.read_attribute("SaveRaw")
    assert reading.value is True
    assert reading.w_value is True
    balor.SaveRaw = False
    assert balor.SaveRaw is False
    balor.init()
    assert balor.SaveRaw is True


def test_clients_are_told(balor):
    seen: queue.Queue[bool] = queue.Queue()
    subscription = balor.subscribe_event(
        "SaveRaw",
        tango.EventType.CHANGE_EVENT,
        lambda event: seen.put(event.attr_value.value),
    )
    assert seen.get(timeout=20) is True
    balor.SaveRaw = False
    while seen.get(timeout=20):
        pass
    balor.unsubscribe_event(subscription)


def test_it_runs_as_a_server_of_its_own():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    name = "sim/balor/1"
    arguments = ["BalorSimulator", "1", "-nodb", "-dlist", name, "-ORBendPoint"]
    arguments.append(f"giop:tcp:127.0.0.1:{port}")
    code = "import sys; from femtotango.simulation.balor_device import main; main(sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            assert "Ready to accept request" in server.stdout.readline()
            proxy = tango.DeviceProxy(f"tango://127.0.0.1:{port}/{name}#dbase=no")
            assert proxy.SaveRaw is True
        finally:
            server.terminate()
