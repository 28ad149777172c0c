"""The simulated Balor, as its clients see it."""

import queue
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
import tango
from support.server_process import running_server, takes_requests
from support.waiting import PATIENCE, STEADY, wait_for
from tango.test_context import DeviceTestContext

from femtotango.simulation.balor_device import BalorSimulator
from femtotango.stack.ports import Ports


@pytest.fixture
def balor() -> Iterator[tango.DeviceProxy]:
    with DeviceTestContext(BalorSimulator, process=True, timeout=PATIENCE) as proxy:
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
    assert seen.get(timeout=PATIENCE) is True

    def hears_of_a_change() -> bool:
        # What changes right after a subscription may not be heard yet.
        balor.SaveRaw = True
        balor.SaveRaw = False
        with suppress(queue.Empty):
            while seen.get(timeout=STEADY):
                pass
            return True
        return False

    wait_for(hears_of_a_change, "an event of SaveRaw = False")
    balor.unsubscribe_event(subscription)


def test_it_runs_as_a_server_of_its_own(tmp_path):
    name = "sim/balor/1"
    code = "import sys; from femtotango.simulation.balor_device import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "BalorSimulator", "1", "-nodb", "-dlist", name]
    log = tmp_path / "balor.log"
    with Ports() as ports:
        command += ["-ORBendPoint", f"giop:tcp:127.0.0.1:{(port := ports.new())}"]
        with running_server(command, log, lambda: takes_requests(log)):
            proxy = tango.DeviceProxy(f"tango://127.0.0.1:{port}/{name}#dbase=no")
            assert proxy.SaveRaw is True
